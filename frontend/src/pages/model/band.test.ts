import { expect, it } from 'vitest'
import { treatmentBand } from './band'

it('carries the lift interval over to the NE of treatment', () => {
  const band = treatmentBand([{ ne_control: 0.8, lift: 1, low: 0, high: 2 }, { ne_control: null, lift: null, low: null, high: null }])
  expect(band.low).toEqual([0.784, null])
  expect(band.high).toEqual([0.8, null])
})

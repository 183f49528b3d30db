import { expect, it } from 'vitest'
import { readGate } from './gate'

it('reads what is there and tolerates the rest', () => {
  const gate = readGate({ decision: 'publish', heads: [{ task: 'click', n: 10, ne_candidate: 0.8, ne_current: null }] })
  expect(gate).toEqual({ decision: 'publish', reason: '', heads: [{ task: 'click', n: 10, candidate: 0.8, current: null, calibration: null }] })
  expect(readGate(null).heads).toEqual([])
})

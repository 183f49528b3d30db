import { describe, expect, it } from 'vitest'
import { forestDomain, ticks } from './scale'

describe('axis', () => {
  it('puts round ticks inside the range', () => {
    expect(ticks(-0.3, 1.1, 5)).toEqual([0, 0.5, 1])
    expect(ticks(0, 10, 5)).toEqual([0, 2, 4, 6, 8, 10])
    expect(ticks(1, 1, 5)).toEqual([1])
  })
  it('holds zero and does not follow one huge interval', () => {
    const usual = { value: 1, low: 0.9, high: 1.1 }
    const [low, high] = forestDomain([usual, usual, { value: 0.5, low: -50, high: 51 }])
    expect(low).toBeLessThan(0)
    expect(low).toBeGreaterThan(-2)
    expect(high).toBeLessThan(3)
  })
})

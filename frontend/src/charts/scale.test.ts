import { describe, expect, it } from 'vitest'
import { ends, fitted, forestDomain, ticks } from './scale'

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
  it('keeps the ends of a long list and the start of a long name', () => {
    expect(ends([1, 2, 3, 4, 5, 6], 4)).toEqual([1, 2, 5, 6])
    expect(ends([1, 2], 4)).toEqual([1, 2])
    expect(fitted('conversion', 50, 8)).toBe('conve…')
    expect(fitted('click', 50, 8)).toBe('click')
  })
})

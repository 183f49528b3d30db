import { describe, expect, it } from 'vitest'
import figures from './figures.json'
import { liftText, signed, verdict } from './lift'
import { amount, money, percentOf } from './money'
import { bytes, compact, count, plural, score, share } from './number'
import { absolute, duration, elapsed, interval, relative } from './time'

describe('numbers', () => {
  it('groups, shortens and marks absence', () => {
    expect(count(1234567)).toBe('1,234,567')
    expect(compact(1234567)).toBe('1.23M')
    expect(count(null)).toBe('–')
    expect(plural(1, 'model')).toBe('1 model')
    expect(plural(2, 'model')).toBe('2 models')
  })
  it('writes shares, scores and bytes', () => {
    expect(share(0.9312)).toBe('93.1 %')
    expect(share(1)).toBe('100 %')
    expect(share(0.0001)).toBe('under 0.1 %')
    expect(score(0.81234567)).toBe('0.8123')
    expect(bytes(0)).toBe('0 B')
    expect(bytes(1536000)).toBe('1.54 MB')
  })
})

describe('money', () => {
  it('keeps currency and the digits that matter', () => {
    expect(money('1234.5', 'USD')).toBe('$1,234.50')
    expect(money('0.00123', 'USD')).toBe('$0.0012')
    expect(money('0.000274', 'USD')).toBe('$0.000274')
    expect(money('0', 'EUR')).toBe('€0.00')
    expect(money('-2', 'USD')).toBe('−$2.00')
    expect(money(null, 'USD')).toBe('–')
  })
  it('falls back for a currency that is no ISO code', () => {
    expect(money('3', 'credits')).toBe('3.00 credits')
  })
  it('feeds bars without leaving them', () => {
    expect(amount('12.50')).toBe(12.5)
    expect(percentOf(12, 10)).toBe(100)
    expect(percentOf(1, 0)).toBe(0)
  })
})

describe('time', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  it('is relative in the text and absolute on hover', () => {
    expect(relative('2026-11-21T11:57:00Z', now)).toBe('3 min ago')
    expect(relative('2026-11-21T14:00:00Z', now)).toBe('in 2 h')
    expect(relative('2026-11-21T11:59:58Z', now)).toBe('just now')
    expect(absolute('2026-11-21T01:30:05Z')).toBe('2026-11-21 01:30:05 UTC')
    expect(interval('2026-11-21T01:00:00Z', '2026-11-21T02:00:00Z')).toBe('2026-11-21 01:00 – 02:00')
    expect(interval('2026-11-21T23:00:00Z', '2026-11-22T00:00:00Z')).toBe('2026-11-21 23:00 – 2026-11-22 00:00')
  })
  it('shows the two largest units of a duration', () => {
    expect(duration(0)).toBe('0 s')
    expect(duration(0.25)).toBe('250 ms')
    expect(duration(42)).toBe('42 s')
    expect(duration(3675)).toBe('1 h 01 min')
    expect(duration(90000)).toBe('1 d 1 h')
    expect(duration(null)).toBe('–')
    expect(elapsed('2026-11-21T11:59:00Z', null, now)).toBe(60)
  })
})

describe('lift', () => {
  it('is never bare', () => {
    expect(liftText({ value: 0.84, low: 0.72, high: 0.96 }).full).toBe('+0.84 % NE ± 0.12')
    expect(liftText({ value: -1.2, low: -1.5, high: -0.9 }).full).toBe('−1.20 % NE ± 0.30')
    expect(liftText({ value: 0.012, low: 0.008, high: 0.016 }).full).toBe('+0.0120 % NE ± 0.0040')
    expect(liftText({ value: null, low: null, high: null }).full).toBe('–')
    expect(signed(-0.001, 2)).toBe('0.00')
  })
  it('judges by the interval', () => {
    expect(verdict({ value: 1, low: 0.1, high: 2 })).toBe('gain')
    expect(verdict({ value: 1, low: -0.1, high: 2 })).toBe('unclear')
    expect(verdict({ value: -1, low: -2, high: -0.1 })).toBe('loss')
    expect(verdict({ value: null, low: null, high: null })).toBe('none')
  })
})

/** The platform writes its own sentences by the same rule: tests/exfm_core/test_figures.py reads the same cases. */
describe('numbers in sentences', () => {
  it.each(figures.share)('the share %d to %d digits is %s', (part, digits, text) => expect(share(Number(part), Number(digits))).toBe(text))
  it.each(figures.signed)('the number %d to %d digits is %s', (value, digits, text) => expect(signed(Number(value), Number(digits))).toBe(text))
})

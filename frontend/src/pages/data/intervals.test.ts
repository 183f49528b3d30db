import { expect, test } from 'vitest'
import { intervalIn, utc } from './intervals'

test('the interval is read from a name as the command reads it', () => {
  expect(intervalIn('ads-20260101T003000Z-20260101T010000Z.parquet')).toEqual({ start: '2026-01-01T00:30:00', end: '2026-01-01T01:00:00' })
  expect(intervalIn('ads.parquet')).toBeNull()
  expect(intervalIn('ads-20260101T003000Z.parquet')).toBeNull()
})

test('a field without seconds is a whole minute in UTC', () => {
  expect(utc('2026-01-01T00:30')).toBe('2026-01-01T00:30:00Z')
  expect(utc('2026-01-01T00:30:07')).toBe('2026-01-01T00:30:07Z')
})

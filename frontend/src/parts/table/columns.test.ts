import { describe, expect, it } from 'vitest'
import { blank, type Column, placed, shown } from './columns'

const COLUMNS: Column<number>[] = [
  { label: 'name', card: 'title', cell: String },
  { label: 'cost', cell: String },
  { label: 'hash', card: 'more', cell: String },
]

describe('columns on a card', () => {
  it('are labelled lines unless they say otherwise', () => {
    expect(placed(COLUMNS, 'line').map(({ label }) => label)).toEqual(['cost'])
    expect(placed(COLUMNS, 'more').map(({ label }) => label)).toEqual(['hash'])
    expect(placed(COLUMNS, 'actions')).toEqual([])
  })
  it('are left out where there is nothing; zero is something', () => {
    expect([null, undefined, '', false].map(blank)).toEqual([true, true, true, true])
    expect([0, '0', '–'].map(blank)).toEqual([false, false, false])
  })
})

describe('a long list of cards', () => {
  it('comes in steps of twenty, and never stops before the row that is shown apart', () => {
    expect(shown(1, -1)).toBe(20)
    expect(shown(3, 5)).toBe(60)
    expect([shown(1, 19), shown(1, 20), shown(1, 199)]).toEqual([20, 40, 200])
  })
})

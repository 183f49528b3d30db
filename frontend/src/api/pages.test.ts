import { describe, expect, it } from 'vitest'
import { everyPage } from './pages'

const FIRST = { results: [1, 2], next: '/api/v1/numbers?limit=2&cursor=second', previous: null }
const SECOND = { results: [3], next: null, previous: null }

describe('pages of a list', () => {
  it('are followed to the last one', async () => {
    const asked: (string | undefined)[] = []
    const all = await everyPage((cursor) => {
      asked.push(cursor)
      return Promise.resolve(cursor === 'second' ? SECOND : FIRST)
    })
    expect(all).toEqual({ results: [1, 2, 3], next: null, previous: null })
    expect(asked).toEqual([undefined, 'second'])
  })
})

/** Lists come in pages; each names the next by an address with a cursor. */
import type { Page } from './types'

/** The cursor in a page's address such as `/api/v1/…?cursor=abc`; nothing for the first page. */
export function cursorOf(address: string): string | undefined {
  return new URL(address, 'http://page').searchParams.get('cursor') ?? undefined
}

/** All pages of a list as one, for views that search, sort and count by themselves. */
export async function everyPage<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<Page<T>> {
  const results: T[] = []
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    results.push(...page.results)
    cursor = page.next === null ? undefined : cursorOf(page.next)
  } while (cursor !== undefined)
  return { results, next: null, previous: null }
}

import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Changes } from './changes'
import type { RunCard } from './types'

const card = (state: RunCard['state'], done: number) => ({ id: 'r1', state, progress: { done } }) as RunCard

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('window', globalThis)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('shows a new card at once and refreshes figures only when a partition was committed', () => {
  const client = new QueryClient()
  const stale = vi.spyOn(client, 'invalidateQueries')
  const key = ['tenant', 'a', 'runs', { model: undefined, state: undefined, cursor: undefined }]
  client.setQueryData(key, { results: [card('queued', 0)], next: null, previous: null })
  const changes = new Changes(client, 'a')
  const refreshed = (name: string) => stale.mock.calls.filter(([filter]) => filter?.queryKey?.[2] === name).length

  changes.run(card('running', 0))
  expect(client.getQueryData<{ results: RunCard[] }>(key)?.results[0]?.state).toBe('running')
  expect(stale).not.toHaveBeenCalled()
  vi.advanceTimersByTime(5_000)
  expect(refreshed('overview')).toBe(1)

  for (let event = 0; event < 20; event++) changes.run(card('running', 0))
  vi.advanceTimersByTime(5_000)
  expect(refreshed('overview')).toBe(1)
  expect(refreshed('run')).toBe(2)

  changes.run(card('running', 1))
  changes.stop()
  vi.advanceTimersByTime(5_000)
  expect(refreshed('overview')).toBe(1)
})

/** The live stream: server-sent events per tenant. It says when it drops, resumes itself, and rests while the tab is hidden. */
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { Changes } from './changes'
import type { RunCard } from './types'

/** `none`: the member's role does not include the stream, and slow polling is enough. */
export type LiveState = 'connecting' | 'live' | 'lost' | 'none'

let state: LiveState = 'connecting'
const watchers = new Set<() => void>()

function become(next: LiveState) {
  if (next === state) return
  state = next
  watchers.forEach((watch) => watch())
}

/** Whether pages poll in the stream's place. */
export const mustPoll = () => state === 'connecting' || state === 'lost'

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch)
      return () => watchers.delete(watch)
    },
    () => state,
  )
}

const LOST_AFTER_MS = 3_000
const REST_AFTER_MS = 60_000
const RETRY_MS = 4_000

/** A run's card from an event's data; null for anything else. */
function cardOf(data: string): RunCard | null {
  try {
    const value: unknown = JSON.parse(data)
    return value !== null && typeof value === 'object' && 'id' in value && 'state' in value ? (value as RunCard) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Keeps one stream open for the tenant on screen, where the member may read it. */
export function useLive(client: QueryClient, tenant: string, mayRead: boolean) {
  useEffect(() => {
    if (!mayRead) {
      become('none')
      return
    }
    const changes = new Changes(client, tenant)
    let source: EventSource | undefined
    let lost: number | undefined
    let retry: number | undefined
    let rest: number | undefined
    let dropped = false

    const open = () => {
      source = new EventSource(`/api/v1/tenants/${encodeURIComponent(tenant)}/events`)
      source.addEventListener('open', () => {
        window.clearTimeout(lost)
        lost = undefined
        become('live')
        if (dropped) changes.all()
        dropped = false
      })
      source.addEventListener('run', (event: MessageEvent<string>) => {
        const card = cardOf(event.data)
        if (card) changes.run(card)
      })
      source.addEventListener('resync', () => changes.all())
      source.addEventListener('error', () => {
        dropped = true
        lost ??= window.setTimeout(() => become('lost'), LOST_AFTER_MS)
        if (source?.readyState === EventSource.CLOSED) retry = window.setTimeout(open, RETRY_MS)
      })
    }
    const close = () => {
      source?.close()
      source = undefined
      window.clearTimeout(lost)
      window.clearTimeout(retry)
      lost = undefined
    }
    const visibility = () => {
      window.clearTimeout(rest)
      if (document.hidden) rest = window.setTimeout(() => { dropped = true; close() }, REST_AFTER_MS)
      else if (!source) open()
    }

    become('connecting')
    open()
    document.addEventListener('visibilitychange', visibility)
    return () => {
      document.removeEventListener('visibilitychange', visibility)
      window.clearTimeout(rest)
      close()
      changes.stop()
    }
  }, [client, tenant, mayRead])
}

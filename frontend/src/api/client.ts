/** The one way out of the browser: JSON over the same origin, session cookie, CSRF header, problems as errors. */
import { problemOf, unreachable } from './problem'

type Query = Record<string, string | undefined>

function cookie(name: string): string {
  const found = document.cookie.split('; ').find((pair) => pair.startsWith(`${name}=`))
  return found ? decodeURIComponent(found.slice(name.length + 1)) : ''
}

function address(path: string, query: Query): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]))
  return `/api/v1${path}${pairs.length ? `?${new URLSearchParams(pairs).toString()}` : ''}`
}

async function send<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRFToken'] = cookie('csrftoken')
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(url, { method, headers, credentials: 'same-origin', signal: signal ?? null, body: body === undefined ? null : JSON.stringify(body) })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw unreachable()
  }
  if (!response.ok) throw await problemOf(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

export const get = <T>(path: string, query: Query = {}, signal?: AbortSignal) => send<T>('GET', address(path, query), undefined, signal)
export const post = <T>(path: string, body?: unknown) => send<T>('POST', address(path, {}), body)
export const del = <T>(path: string) => send<T>('DELETE', address(path, {}))

/** The one way out of the browser: typed by the OpenAPI file, same origin, session cookie, CSRF header, problems as errors. */
import createClient, { type Middleware } from 'openapi-fetch'
import { problemOf, unreachable } from './problem'
import type { paths } from './schema'

const SAFE = ['GET', 'HEAD', 'OPTIONS']

function cookie(name: string): string {
  const found = document.cookie.split('; ').find((pair) => pair.startsWith(`${name}=`))
  return found ? decodeURIComponent(found.slice(name.length + 1)) : ''
}

const manners: Middleware = {
  onRequest({ request }) {
    if (!SAFE.includes(request.method)) request.headers.set('X-CSRFToken', cookie('csrftoken'))
    return request
  },
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response)
  },
  onError({ error }) {
    return error instanceof DOMException && error.name === 'AbortError' ? error : unreachable()
  },
}

/** Every call rejects with a `Problem` unless the answer is a success. */
export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: 'same-origin', headers: { Accept: 'application/json' } })
api.use(manners)

/** The body of an answer; answers without one are asked for by `then` alone. */
export async function body<T>(answer: Promise<{ data?: T | undefined }>): Promise<T> {
  const { data } = await answer
  if (data === undefined) throw unreachable()
  return data
}

/** Every failure of a request as one kind of error: what happened, and what to do next. */
import type { components } from './schema'

/** What still needs something that was to be deleted. */
export type Use = components['schemas']['Use']

export interface ProblemBody {
  code?: string
  title?: string
  detail?: string
  mend?: string
  field?: string | null
  request_id?: string
  uses?: Use[]
  uses_count?: number
}

export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly mend: string
  readonly field: string | null
  readonly requestId: string
  /** Seconds that the server asked us to wait, from `Retry-After`; null when it named none. */
  readonly retryAfter: number | null
  /** With `in_use`: some of what needs the thing, and how many there are in all. */
  readonly uses: readonly Use[]
  readonly usesCount: number

  constructor(status: number, body: ProblemBody, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? `The platform answered ${status}.`)
    this.name = 'Problem'
    this.status = status
    this.code = body.code ?? `http_${status}`
    this.mend = body.mend ?? ''
    this.field = body.field ?? null
    this.requestId = body.request_id ?? ''
    this.retryAfter = retryAfter
    this.uses = body.uses ?? []
    this.usesCount = body.uses_count ?? this.uses.length
  }
}

/** Status 0: no answer at all (server stopped, network gone). */
export function unreachable(): Problem {
  return new Problem(0, {
    code: 'unreachable',
    detail: 'The platform does not answer.',
    mend: 'Check that it is running (`make demo` or `manage.py up`) and that you are online; this page tries again by itself.',
  })
}

/** Reads problem+json where the answer has it; a proxy's HTML page still becomes a sentence. */
export async function problemOf(response: Response): Promise<Problem> {
  const retry = Number(response.headers.get('Retry-After'))
  let body: ProblemBody = {}
  if ((response.headers.get('Content-Type') ?? '').includes('json')) {
    try {
      body = (await response.json()) as ProblemBody
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  if (!body.detail && response.status >= 500) {
    body = { ...body, detail: 'The platform failed to answer.', mend: 'Try again; if it goes on, tell your platform admin the time of this error.' }
  }
  return new Problem(response.status, body, Number.isFinite(retry) && retry > 0 ? retry : null)
}

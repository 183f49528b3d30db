/** Server state: one query per resource, keyed by tenant, refreshed by the live stream and by polling when it is down. */
import { QueryCache, QueryClient, queryOptions } from '@tanstack/react-query'
import { api, body } from './client'
import { mustPoll } from './live'
import { everyPage } from './pages'
import { Problem } from './problem'
import type { Page, RunState, Stream } from './types'

const SLOW_MS = 60_000
const POLL_MS = 5_000

/** While the stream is live a slow refresh is enough; without it the page polls. */
export const pace = () => (mustPoll() ? POLL_MS : SLOW_MS)

/** Called when any request finds that the session has ended. */
export const signedOut: { handler: () => void } = { handler: () => undefined }

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (!(error instanceof Problem) || query.queryKey[0] !== 'tenant') return
      if (error.status === 401) signedOut.handler()
      // The frame around the tenant's pages reads from the session what to show instead of them.
      if (error.code === 'second_factor_required') void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey })
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) => failures < 2 && (!(error instanceof Problem) || error.status === 0 || error.status >= 502),
      retryDelay: (failures) => 500 * 2 ** failures,
    },
  },
})

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/session', { signal })),
  staleTime: 60_000,
  retry: false,
})

export const tenantKey = (tenant: string) => ['tenant', tenant] as const

const LONGEST = 200

export const overviewQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'overview'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/overview', { params: { path: { tenant } }, signal })),
  refetchInterval: pace,
})

export const modelsQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'models'],
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/models', { params: { path: { tenant }, query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
  refetchInterval: pace,
})

export const modelQuery = (tenant: string, id: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'model', id],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}', { params: { path: { tenant, model_id: id } }, signal })),
  refetchInterval: pace,
})

export const curveQuery = (tenant: string, id: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'model', id, 'curve'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/curve', { params: { path: { tenant, model_id: id } }, signal })),
  refetchInterval: pace,
})

export interface RunsWanted {
  model?: string | undefined
  /** A state, or `open` for all before the end. */
  state?: string | undefined
  cursor?: string | undefined
}

export const runsQuery = (tenant: string, { model, state, cursor }: RunsWanted = {}) => queryOptions({
  queryKey: [...tenantKey(tenant), 'runs', { model, state, cursor }],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/runs', {
    params: { path: { tenant }, query: { ...(model ? { model } : {}), ...(state ? { state: [state as RunState | 'open'] } : {}), ...(cursor ? { cursor } : {}) } },
    signal,
  })),
  refetchInterval: pace,
})

export const runQuery = (tenant: string, id: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'run', id],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/runs/{run_id}', { params: { path: { tenant, run_id: id } }, signal })),
  refetchInterval: pace,
})

export const streamsQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'streams'],
  queryFn: ({ signal }) => everyPage(async (cursor) => (await body(api.GET('/api/v1/tenants/{tenant}/streams', { params: { path: { tenant }, query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))) as Page<Stream>),
  refetchInterval: pace,
})

export const costsQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'costs'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/costs', { params: { path: { tenant } }, signal })),
  refetchInterval: pace,
})

export const ledgerQuery = (tenant: string, cursor: string | undefined) => queryOptions({
  queryKey: [...tenantKey(tenant), 'ledger', { cursor }],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/ledger', { params: { path: { tenant }, query: cursor ? { cursor } : {} }, signal })),
  refetchInterval: pace,
})

export const foundationQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'foundation'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/foundation', { params: { path: { tenant } }, signal })),
  refetchInterval: pace,
})

export const tokensQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'tokens'],
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/tokens', { params: { path: { tenant }, query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
})

export const membersQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'members'],
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/members', { params: { path: { tenant }, query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
})

export const invitationsQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'invitations'],
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/invitations', { params: { path: { tenant }, query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
})

export const serviceAccountsQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'service-accounts'],
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/service-accounts', { params: { path: { tenant }, query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
})

export const settingsQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'settings'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/settings', { params: { path: { tenant } }, signal })),
})

/** The open wish that the tenant be erased; null where there is none. */
export const deletionQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'deletion'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/deletion', { params: { path: { tenant } }, signal })),
})

export interface AuditWanted {
  actor?: string | undefined
  action?: string | undefined
  q?: string | undefined
  since?: string | undefined
  until?: string | undefined
}

export const auditQuery = (tenant: string, wanted: AuditWanted, cursor: string | undefined) => queryOptions({
  queryKey: [...tenantKey(tenant), 'audit', wanted, { cursor }],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/audit', { params: { path: { tenant }, query: { ...given(wanted), ...(cursor ? { cursor } : {}) } }, signal })),
})

/** What of a filter is set. */
export const given = (wanted: AuditWanted): Record<string, string> =>
  Object.fromEntries(Object.entries(wanted).filter((pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== ''))

export const accountQuery = queryOptions({
  queryKey: ['account'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/account', { signal })),
})

export const providersQuery = queryOptions({
  queryKey: ['sso'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/sso', { signal })),
  staleTime: 60_000,
  retry: false,
})

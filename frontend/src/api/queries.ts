/** Server state: one query per resource, keyed by tenant, refreshed by the live stream and by polling when it is down. */
import { QueryCache, QueryClient, queryOptions } from '@tanstack/react-query'
import { get } from './client'
import { isLive } from './live'
import { Problem } from './problem'
import type { Costs, CurvePoint, Foundation, LedgerEntry, Me, Member, Model, ModelCard, Overview, Page, Partition, Run, RunCard, Stream, Token } from './types'

const SLOW_MS = 60_000
const POLL_MS = 5_000

/** While the stream is live a slow refresh is enough; without it the page polls. */
const pace = () => (isLive() ? SLOW_MS : POLL_MS)

/** Called when any request finds that the session has ended. */
export const signedOut: { handler: () => void } = { handler: () => undefined }

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (error instanceof Problem && error.status === 401 && query.queryKey[0] === 'tenant') signedOut.handler()
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
  queryFn: ({ signal }) => get<Me>('/session', {}, signal),
  staleTime: 60_000,
  retry: false,
})

export const tenantKey = (tenant: string) => ['tenant', tenant] as const
const within = (tenant: string) => `/tenants/${encodeURIComponent(tenant)}`

function tenantQuery<T>(tenant: string, name: readonly string[], path: string, query: Record<string, string | undefined> = {}) {
  return queryOptions({
    queryKey: [...tenantKey(tenant), ...name, query],
    queryFn: ({ signal }) => get<T>(`${within(tenant)}${path}`, query, signal),
    refetchInterval: pace,
  })
}

export const overviewQuery = (tenant: string) => tenantQuery<Overview>(tenant, ['overview'], '/overview')
export const modelsQuery = (tenant: string) => tenantQuery<Page<ModelCard>>(tenant, ['models'], '/models', { page_size: '200' })
export const modelQuery = (tenant: string, id: string) => tenantQuery<Model>(tenant, ['model', id], `/models/${id}`)
export const curveQuery = (tenant: string, id: string) =>
  tenantQuery<{ partitions: CurvePoint[] }>(tenant, ['model', id, 'curve'], `/models/${id}/curve`)
export const runsQuery = (tenant: string, filter: { model?: string | undefined; state?: string | undefined } = {}) =>
  tenantQuery<Page<RunCard>>(tenant, ['runs'], '/runs', filter)
export const runQuery = (tenant: string, id: string) => tenantQuery<Run>(tenant, ['run', id], `/runs/${id}`)
export const streamsQuery = (tenant: string) => tenantQuery<Page<Stream>>(tenant, ['streams'], '/streams')
export const partitionsQuery = (tenant: string, stream: string) =>
  tenantQuery<Page<Partition>>(tenant, ['partitions', stream], `/streams/${stream}/partitions`, { page_size: '200' })
export const costsQuery = (tenant: string) => tenantQuery<Costs>(tenant, ['costs'], '/costs')
export const ledgerQuery = (tenant: string, cursor?: string) =>
  tenantQuery<Page<LedgerEntry>>(tenant, ['ledger'], '/ledger', { cursor })
export const foundationQuery = (tenant: string) => tenantQuery<Foundation>(tenant, ['foundation'], '/foundation')
export const tokensQuery = (tenant: string) => tenantQuery<Page<Token>>(tenant, ['tokens'], '/tokens')
export const membersQuery = (tenant: string) => tenantQuery<Page<Member>>(tenant, ['members'], '/members')

/** The tenant's exports: asked again every two seconds while one is being written. */
import { queryOptions } from '@tanstack/react-query'
import { api, body } from '../../api/client'
import { tenantKey } from '../../api/queries'
import type { components } from '../../api/schema'

export type Export = components['schemas']['TenantExport']
export type Part = Export['include'][number]

const POLL_MS = 2_000

export const isOpen = ({ state }: Export) => state === 'queued' || state === 'running'

export const exportsQuery = (tenant: string, cursor?: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'exports', { cursor }],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/exports', { params: { path: { tenant }, query: { limit: 10, ...(cursor ? { cursor } : {}) } }, signal })),
  refetchInterval: (query) => (query.state.data?.results.some(isOpen) ? POLL_MS : false),
})

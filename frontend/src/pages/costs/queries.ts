/** What the costs page reads beside the costs themselves: of all models, and of the whole ledger. */
import { infiniteQueryOptions } from '@tanstack/react-query'
import { api, body } from '../../api/client'
import { cursorOf, everyPage } from '../../api/pages'
import { tenantKey } from '../../api/queries'
import type { components } from '../../api/schema'

export type ModelCost = components['schemas']['ModelCost']
export type CostOrder = '-cost' | 'cost' | 'name'

const LONGEST = 200

interface Wanted {
  search?: string
  order?: CostOrder
  limit?: number
  cursor?: string | undefined
}

const read = (tenant: string, { cursor, search, ...rest }: Wanted, signal?: AbortSignal) => body(api.GET('/api/v1/tenants/{tenant}/costs/models', {
  params: { path: { tenant }, query: { ...rest, ...(search ? { search } : {}), ...(cursor ? { cursor } : {}) } },
  ...(signal ? { signal } : {}),
}))

export const modelCostsQuery = (tenant: string, wanted: { search: string; order: CostOrder }) => infiniteQueryOptions({
  queryKey: [...tenantKey(tenant), 'costs', 'models', wanted],
  queryFn: ({ signal, pageParam }) => read(tenant, { ...wanted, cursor: pageParam }, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => (page.next === null ? undefined : cursorOf(page.next)),
})

/** What every model has cost, costliest first. */
export const everyModelCost = async (tenant: string) => (await everyPage((cursor) => read(tenant, { order: '-cost', limit: LONGEST, cursor }))).results

/** Every line of the ledger, newest first. */
export const everyLedgerLine = async (tenant: string) => (await everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/ledger', {
  params: { path: { tenant }, query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } },
})))).results

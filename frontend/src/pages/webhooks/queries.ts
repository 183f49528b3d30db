/** What the webhooks page reads. Deliveries happen at any time, so the log is read again while it is shown. */
import { queryOptions } from '@tanstack/react-query'
import { api, body } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import type { components } from '../../api/schema'

export type Webhook = components['schemas']['Webhook']
export type Delivery = components['schemas']['Delivery']
export type EventType = components['schemas']['SubscribableEnum']

const LOG_MS = 3_000

const key = (tenant: string) => [...tenantKey(tenant), 'webhooks']

export const webhooksQuery = (tenant: string) => queryOptions({
  queryKey: key(tenant),
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/webhooks', { params: { path: { tenant } }, signal })),
  refetchInterval: LOG_MS,
})

export const deliveriesQuery = (tenant: string, webhook: string, cursor: string | undefined) => queryOptions({
  queryKey: [...key(tenant), webhook, 'deliveries', { cursor }],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/webhooks/{webhook_id}/deliveries', {
    params: { path: { tenant, webhook_id: webhook }, query: cursor ? { cursor } : {} },
    signal,
  })),
  refetchInterval: LOG_MS,
})

export const deliveryQuery = (tenant: string, webhook: string, delivery: string) => queryOptions({
  queryKey: [...key(tenant), webhook, 'delivery', delivery],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/webhooks/{webhook_id}/deliveries/{delivery_id}', {
    params: { path: { tenant, webhook_id: webhook, delivery_id: delivery } },
    signal,
  })),
  refetchInterval: LOG_MS,
})

/** After a change everything about the tenant's webhooks is read again. */
export const webhooksChanged = (tenant: string) => queryClient.invalidateQueries({ queryKey: key(tenant) })

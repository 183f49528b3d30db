/** What the model page reads of a model's course: versions, checkpoints, aliases, teachers, lineage, card. */
import { queryOptions } from '@tanstack/react-query'
import { api, body } from '../../api/client'
import { everyPage } from '../../api/pages'
import { queryClient, tenantKey } from '../../api/queries'
import type { components } from '../../api/schema'

const LONGEST = 200

export type Version = components['schemas']['Version']
export type Checkpoint = components['schemas']['Checkpoint']
export type Alias = components['schemas']['Alias']
export type AliasName = Alias['alias']
export type Binding = components['schemas']['Binding']
export type Course = components['schemas']['Course']

const key = (tenant: string, model: string, what: string) => [...tenantKey(tenant), 'model', model, what]
const at = (tenant: string, model: string) => ({ path: { tenant, model_id: model } })

export const versionsQuery = (tenant: string, model: string) => queryOptions({
  queryKey: key(tenant, model, 'versions'),
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/versions', { params: { ...at(tenant, model), query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
})

export const checkpointsQuery = (tenant: string, model: string, cursor: string | undefined) => queryOptions({
  queryKey: [...key(tenant, model, 'checkpoints'), { cursor }],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/checkpoints', { params: { ...at(tenant, model), query: { limit: 20, ...(cursor ? { cursor } : {}) } }, signal })),
})

export const aliasesQuery = (tenant: string, model: string) => queryOptions({
  queryKey: key(tenant, model, 'aliases'),
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/aliases', { params: at(tenant, model), signal })),
})

export const aliasHistoryQuery = (tenant: string, model: string) => queryOptions({
  queryKey: [...key(tenant, model, 'aliases'), 'history'],
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/aliases/history', { params: { ...at(tenant, model), query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
})

export const bindingsQuery = (tenant: string, model: string) => queryOptions({
  queryKey: key(tenant, model, 'bindings'),
  queryFn: ({ signal }) => everyPage((cursor) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/bindings', { params: { ...at(tenant, model), query: { limit: LONGEST, ...(cursor ? { cursor } : {}) } }, signal }))),
})

export const lineageQuery = (tenant: string, model: string) => queryOptions({
  queryKey: key(tenant, model, 'lineage'),
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/lineage', { params: at(tenant, model), signal })),
})

export const cardQuery = (tenant: string, model: string) => queryOptions({
  queryKey: key(tenant, model, 'card'),
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/models/{model_id}/card', { params: at(tenant, model), signal })),
})

/** After a change everything about the model is read again. */
export const modelChanged = (tenant: string) => queryClient.invalidateQueries({ queryKey: tenantKey(tenant) })

/** The ETag of an alias as it stands; none where it points nowhere. The change is refused if it moved since it was shown. */
async function tagOf(tenant: string, model: string, shown: Alias | undefined, alias: AliasName): Promise<Record<string, string>> {
  if (!shown) return {}
  const { data, response } = await api.GET('/api/v1/tenants/{tenant}/models/{model_id}/aliases/{alias}', { params: { path: { tenant, model_id: model, alias } } })
  const tag = response.headers.get('ETag')
  // An alias that moved since has another number: its old tag is unknown here, and any other is refused.
  return { 'If-Match': data?.number === shown.number && tag ? tag : '"changed"' }
}

export interface Move {
  alias: AliasName
  /** Where it points on screen. */
  shown: Alias | undefined
  note: string
}

export async function setAlias(tenant: string, model: string, { alias, shown, note }: Move, checkpoint: string) {
  const header = await tagOf(tenant, model, shown, alias)
  return api.PUT('/api/v1/tenants/{tenant}/models/{model_id}/aliases/{alias}', { params: { path: { tenant, model_id: model, alias }, header }, body: { checkpoint, note } })
}

export async function rollBackAlias(tenant: string, model: string, { alias, shown, note }: Move) {
  const header = await tagOf(tenant, model, shown, alias)
  return api.POST('/api/v1/tenants/{tenant}/models/{model_id}/aliases/{alias}/rollback', { params: { path: { tenant, model_id: model, alias }, header }, body: { note } })
}

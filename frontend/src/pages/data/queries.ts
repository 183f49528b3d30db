/** What the data page reads and writes beside the lists of streams and partitions. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, body } from '../../api/client'
import { cursorOf } from '../../api/pages'
import { pace, queryClient, streamsQuery, tenantKey } from '../../api/queries'
import type { components } from '../../api/schema'
import type { Page, Partition } from '../../api/types'

export type Proposal = components['schemas']['Proposal']
export type PartitionState = Partition['state']

const LONGEST = 200
const CHECKING_MS = 2_000

export interface PartitionsWanted {
  state?: string | undefined
  /** First and last day of the starts, `2026-11-21`, UTC. */
  since?: string | undefined
  until?: string | undefined
  cursor?: string | undefined
}

export const partitionsWhere = (tenant: string, stream: string, { state, since, until, cursor }: PartitionsWanted) => queryOptions({
  queryKey: [...tenantKey(tenant), 'partitions', stream, { state, since, until, cursor }],
  queryFn: async ({ signal }) => (await body(api.GET('/api/v1/tenants/{tenant}/streams/{stream_id}/partitions', {
    params: {
      path: { tenant, stream_id: stream },
      query: {
        limit: LONGEST,
        ...(cursor ? { cursor } : {}),
        ...(state ? { state: [state as PartitionState] } : {}),
        ...(since ? { start_from: `${since}T00:00:00Z` } : {}),
        ...(until ? { start_before: `${until}T00:00:00Z` } : {}),
      },
    },
    signal,
  }))) as Page<Partition>,
  // What a worker is checking is looked at soon again: no event tells of partitions.
  refetchInterval: ({ state: { data } }) => (data?.results.some((partition) => partition.state === 'uploaded') ? CHECKING_MS : pace()),
})

export const partitionUsesQuery = (tenant: string, stream: string, partition: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'partitions', stream, partition, 'lineage'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/streams/{stream_id}/partitions/{partition_id}/lineage', {
    params: { path: { tenant, stream_id: stream, partition_id: partition } },
    signal,
  })),
})

/** The models' steps that consumed a partition, newest first, page by page. */
export const consumersQuery = (tenant: string, stream: string, partition: string) => infiniteQueryOptions({
  queryKey: [...tenantKey(tenant), 'partitions', stream, partition, 'consumers'],
  queryFn: ({ signal, pageParam }) => body(api.GET('/api/v1/tenants/{tenant}/streams/{stream_id}/partitions/{partition_id}/consumers', {
    params: { path: { tenant, stream_id: stream, partition_id: partition }, query: { limit: LONGEST, ...(pageParam ? { cursor: pageParam } : {}) } },
    signal,
  })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => (page.next === null ? undefined : cursorOf(page.next)),
})

export const importRootsQuery = (tenant: string) => queryOptions({
  queryKey: [...tenantKey(tenant), 'import-roots'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/tenants/{tenant}/streams/import-roots', { params: { path: { tenant } }, signal })),
  staleTime: 300_000,
})

/** After a change everything about the tenant's data is read again. */
export const dataChanged = (tenant: string) => Promise.all(['streams', 'partitions', 'overview'].map((name) => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), name] })))

/** Deletes a partition. Rejects with a `Problem`: `in_use` where something needs it. */
export async function removePartition(tenant: string, stream: string, partition: string) {
  await api.DELETE('/api/v1/tenants/{tenant}/streams/{stream_id}/partitions/{partition_id}', { params: { path: { tenant, stream_id: stream, partition_id: partition } } })
  const lists = { queryKey: [...tenantKey(tenant), 'partitions', stream], predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => typeof queryKey.at(-1) === 'object' }
  queryClient.setQueriesData<Page<Partition>>(lists, (page) => page && { ...page, results: page.results.filter(({ id }) => id !== partition) })
  void dataChanged(tenant)
}

/** Deletes a stream. Rejects with a `Problem`: `in_use` where something needs it. */
export async function removeStream(tenant: string, stream: string) {
  await api.DELETE('/api/v1/tenants/{tenant}/streams/{stream_id}', { params: { path: { tenant, stream_id: stream } } })
  queryClient.setQueryData(streamsQuery(tenant).queryKey, (page) => page && { ...page, results: page.results.filter(({ id }) => id !== stream) })
  queryClient.removeQueries({ queryKey: [...tenantKey(tenant), 'partitions', stream] })
  void dataChanged(tenant)
}

const SAMPLE_BYTES = 4 << 20

/** The first rows of a text file, whole lines only; a Parquet file has its index at its end and goes whole. */
async function firstRows(file: File): Promise<Blob> {
  if (file.size <= SAMPLE_BYTES || /\.parquet$/i.test(file.name)) return file
  const head = new Uint8Array(await file.slice(0, SAMPLE_BYTES).arrayBuffer())
  return new Blob([head.slice(0, head.lastIndexOf(10) + 1)])
}

const kindOf = (name: string) => (/\.parquet$/i.test(name) ? 'application/vnd.apache.parquet' : /\.(jsonl?|ndjson)$/i.test(name) ? 'application/x-ndjson' : 'text/csv')

/** Asks the platform for a schema of the file; its first 4 MiB leave the browser, a Parquet file whole. */
export async function propose(tenant: string, file: File): Promise<Proposal> {
  const rows = await firstRows(file)
  return body(api.POST('/api/v1/tenants/{tenant}/streams/infer', {
    params: { path: { tenant } },
    body: rows as unknown as string,
    bodySerializer: (sent: unknown) => sent as BodyInit,
    headers: { 'Content-Type': kindOf(file.name) },
  }))
}

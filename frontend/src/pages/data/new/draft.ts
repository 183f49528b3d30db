/** A schema while it is edited: what the platform proposed, and what the person made of it. */
import type { Proposal } from '../queries'

export const KINDS = ['categorical', 'sequence', 'dense'] as const
export type Kind = (typeof KINDS)[number]

export interface DraftFeature {
  name: string
  kind: Kind
  buckets: number
  hashed: boolean
  max_length: number
  catalogue: string
  used: boolean
  reason: string
}

export interface DraftTask {
  name: string
  kind: string
  label: string
}

export interface Draft {
  features: DraftFeature[]
  tasks: DraftTask[]
  eventTime: string
  userKey: string
}

const MIN_BUCKETS = 64

const record = (value: unknown): Record<string, unknown> => (value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {})
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(record) : [])
const text = (value: unknown) => (typeof value === 'string' ? value : '')
const number = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise)
const kindOf = (value: unknown): Kind => KINDS.find((kind) => kind === value) ?? 'categorical'

/** Starts from the proposal; columns that it left out are there as well, unused. */
export function draftOf(proposal: Proposal): Draft {
  const schema = record(proposal.schema)
  const proposed = new Map(list(schema.features).map((feature) => [text(feature.name), feature]))
  const role = (wanted: string) => proposal.columns.find((column) => column.role === wanted)?.name ?? ''
  const labels = proposal.columns.filter((column) => column.role === 'label').map((column) => column.name)
  return {
    features: proposal.columns.filter((column) => column.role !== 'event time' && column.role !== 'label').map((column) => {
      const feature = proposed.get(column.name) ?? {}
      return {
        name: column.name,
        kind: kindOf(feature.kind ?? column.role),
        buckets: number(feature.buckets, MIN_BUCKETS) || MIN_BUCKETS,
        hashed: feature.hashed !== false,
        max_length: number(feature.max_length, 0),
        catalogue: text(feature.catalogue),
        used: column.role !== 'left out',
        reason: column.reason,
      }
    }),
    tasks: proposal.schema ? list(schema.tasks).map((task) => ({ name: text(task.name), kind: text(task.kind), label: text(task.label) })) : labels.map((name) => ({ name, kind: name, label: name })),
    eventTime: text(schema.event_time) || role('event time'),
    userKey: text(schema.user_key) || role('user key'),
  }
}

/** What is missing before the stream can be made; empty when nothing is. */
export function missing(draft: Draft): string {
  if (!draft.eventTime) return 'Choose the column of event times.'
  if (draft.tasks.length === 0) return 'Choose at least one label.'
  if (!draft.features.some((feature) => feature.used && feature.kind !== 'dense')) return 'Use at least one categorical feature or sequence.'
  return ''
}

/** The schema as the API takes it: fields that a kind does not have are left out. */
export function schemaOf(draft: Draft): Record<string, unknown> {
  const labels = new Set(draft.tasks.map((task) => task.label))
  const features = draft.features.filter((feature) => feature.used && feature.name !== draft.eventTime && !labels.has(feature.name))
  return {
    features: features.map(({ name, kind, buckets, hashed, max_length, catalogue }) => ({
      name,
      kind,
      ...(kind === 'dense' ? {} : { buckets, hashed }),
      ...(kind === 'sequence' ? { max_length: Math.max(1, max_length) } : {}),
      ...(catalogue ? { catalogue } : {}),
    })),
    tasks: draft.tasks,
    event_time: draft.eventTime,
    ...(draft.userKey && features.some((feature) => feature.name === draft.userKey) ? { user_key: draft.userKey } : {}),
  }
}

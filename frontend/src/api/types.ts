/** What the API sends, as the pages use it. Money is a decimal string, times are ISO 8601 in UTC, shares lie in [0, 1]. */

export interface Me {
  user: { id: string; email: string; name: string; is_platform_admin: boolean }
  memberships: { tenant: { id: string; slug: string; name: string; status: string }; role: string; permissions: string[] }[]
  admin_origin: string
}

export interface Page<T> {
  results: T[]
  next: string | null
  previous: string | null
}

/** NE gain in per cent with its 95 % bootstrap interval, over all rows and over the rows that carried an FM label. */
export interface Lift {
  value: number | null
  low: number | null
  high: number | null
  rows: number
  users: number
  covered: { value: number | null; low: number | null; high: number | null; rows: number } | null
  reason: string
  as_of: string | null
}

export interface Arms {
  control: number | null
  treatment: number | null
}

export interface ModelCard {
  id: string
  name: string
  task: string
  status: string
  stream: { id: string; name: string }
  lift: Lift
  ne: Arms
  auc: Arms
  coverage: number | null
  cost: string
  measurement_cost: string
  fm_share: string
  cost_per_point: string | null
  freshness_seconds: number | null
  spark: { t: string; lift: number | null }[]
  updated_at: string
}

export interface Model extends ModelCard {
  spec: unknown
  version: number
  serving: { parameters: number; flops: number; limit_parameters: number | null; limit_flops: number | null }
  lineages: { arm: string; state: string; partitions: number }[]
  supervision: {
    coverage: number | null
    freshness_seconds: number | null
    clipped_share: number | null
    snapshot: string | null
    gate: string | null
  }
}

export interface CurvePoint {
  start: string
  end: string
  rows: number
  covered: number
  ne_control: number | null
  ne_treatment: number | null
  lift: number | null
  low: number | null
  high: number | null
  auc_control: number | null
  auc_treatment: number | null
  gate: string | null
  snapshot: string | null
  freshness_seconds: number | null
  cumulative: {
    ne_control: number | null
    ne_treatment: number | null
    lift: number | null
    low: number | null
    high: number | null
  }
}

export interface Progress {
  partition?: string | null
  rows?: number
  rows_total?: number
  rows_per_s?: number | null
  done?: number
  planned?: number | null
  eta_seconds?: number | null
  metrics?: Record<string, number | null>
}

export interface RunCard {
  id: string
  kind: string
  state: string
  reason: { code: string; message: string } | null
  model: { id: string; name: string } | null
  position: number | null
  created_at: string
  started_at: string | null
  finished_at: string | null
  progress: Progress | null
  cost?: RunCost | null
}

export interface RunCost {
  spent: string
  measurement: string
  reserved: string
  currency: string
}

export interface Run extends RunCard {
  holders: unknown[] | null
  attempts: {
    n: number
    state: string
    started_at: string | null
    finished_at: string | null
    fault: string
    message: string
    exit: number | string | null
  }[]
  partitions: {
    id: string
    start: string
    state: string
    rows: number | null
    ne_control: number | null
    ne_treatment: number | null
  }[]
  log: string[]
}

export interface Used {
  used: number
  limit: number | null
}

export interface Attention {
  code: string
  message: string
  mend: string
  link: string | null
}

export interface Overview {
  tenant: { slug: string; name: string }
  period: { start: string; end: string }
  spend: {
    currency: string
    spent: string
    reserved: string
    budget: string | null
    forecast: string | null
    measurement: string
    fm_share: string
  }
  quota: { concurrent_runs: Used; models: Used; storage_bytes: Used }
  models: ModelCard[]
  runs: RunCard[]
  attention: Attention[]
  foundation: Foundation | null
}

export interface Stream {
  id: string
  name: string
  schema: unknown
  label_deadline_seconds: number
  feed_fm: boolean
  feed_shared: boolean
  partitions: { sealed: number; rejected: number; rows: number }
  created_at: string
}

export interface PartitionProblem {
  column: string | null
  row: number | null
  expected: string | null
  found: string | null
  message: string
}

export interface Partition {
  id: string
  start: string
  end: string
  state: string
  rows: number | null
  positives: Record<string, number> | null
  sha256: string
  bytes: number
  problems: PartitionProblem[]
  label_sets: number
  trained?: number
}

export interface Snapshot {
  id: string
  state: string
  watermark: string | null
  published_at?: string | null
  gate: unknown
}

export interface Foundation {
  name: string | null
  bound: boolean
  snapshot: { id: string; watermark: string; published_at: string } | null
  snapshots?: Snapshot[]
  cost_share: string | null
}

/** What was paid for, per line and per model; the FM's share lies outside the hard limit and is explained. */
export interface Costs {
  currency: string
  period: { start: string; end: string }
  total: string
  kinds: { kind: string; amount: string }[]
  models: { id: string; name: string; training: string; measurement: string; fm_share: string; total: string }[]
  fm: {
    share: string
    allocations: {
      period_start: string
      period_end: string
      rows: number
      rows_total: number
      total: string
      amount: string
    }[]
    how: string
  } | null
}

export interface LedgerEntry {
  id: string
  created_at: string
  kind: string
  line: string
  amount: string
  run: string | null
  note: string
}

export interface Token {
  id: string
  name: string
  prefix: string
  scopes: string[]
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  last_used_at: string | null
  user: string
}

/** The answer to making a token: its text, this one time. */
export interface NewToken extends Token {
  token: string
}

export interface Member {
  id: string
  email: string
  name: string
  role: string
  created_at: string
}

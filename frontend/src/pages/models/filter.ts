/** Search, filters and order of the model table; kept in the address so that a view can be shared. */
import type { ModelCard } from '../../api/types'
import { amount } from '../../format/money'

export interface ModelFilter {
  q?: string | undefined
  task?: string | undefined
  status?: string | undefined
  /** Column name, with a leading `-` for descending. */
  sort?: string | undefined
}

/** The order before anybody has chosen one. */
export const FIRST_ORDER = '-lift'

const ORDER: Record<string, (model: ModelCard) => string | number | null> = {
  name: (model) => model.name,
  task: (model) => model.task,
  status: (model) => model.status,
  ne: (model) => model.ne.treatment,
  lift: (model) => model.lift.value,
  auc: (model) => model.auc.treatment,
  coverage: (model) => model.coverage,
  cost: (model) => amount(model.cost),
  measurement: (model) => amount(model.measurement_cost),
  point: (model) => (model.cost_per_point === null ? null : amount(model.cost_per_point)),
  freshness: (model) => model.freshness_seconds,
}

/** Rows that match, in order; models without the figure come last either way. */
export function choose(models: ModelCard[], filter: ModelFilter): ModelCard[] {
  const wanted = filter.q?.toLowerCase() ?? ''
  const sort = filter.sort ?? FIRST_ORDER
  const down = sort.startsWith('-')
  const key = ORDER[down ? sort.slice(1) : sort] ?? ORDER.name
  return models
    .filter((model) => !wanted || `${model.name} ${model.task} ${model.stream.name}`.toLowerCase().includes(wanted))
    .filter((model) => !filter.task || model.task === filter.task)
    .filter((model) => !filter.status || model.status === filter.status)
    .toSorted((a, b) => {
      const left = key?.(a) ?? null
      const right = key?.(b) ?? null
      if (left === null || right === null) return (left === null ? 1 : 0) - (right === null ? 1 : 0)
      const order = typeof left === 'string' ? left.localeCompare(String(right)) : left - Number(right)
      return down ? -order : order
    })
}

/** What a click on a column's head makes of the current order: first descending for figures, then the other way. */
export function turned(sort: string | undefined, column: string): string {
  const current = sort ?? FIRST_ORDER
  const first = column === 'name' || column === 'task' || column === 'status' ? column : `-${column}`
  if (current === first) return first.startsWith('-') ? column : `-${column}`
  return first
}

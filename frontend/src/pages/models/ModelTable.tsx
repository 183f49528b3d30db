import { Text } from '@mantine/core'
import type { ModelCard } from '../../api/types'
import { Spark } from '../../charts/Spark'
import { money } from '../../format/money'
import { NONE, score, share } from '../../format/number'
import { duration } from '../../format/time'
import { useCurrency } from '../../parts/context'
import { AnchorLink } from '../../parts/links'
import { LiftValue } from '../../parts/LiftValue'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { FIRST_ORDER, turned } from './filter'

interface ModelTableProps {
  tenant: string
  models: ModelCard[]
  sort: string | undefined
  onSort: (sort: string) => void
}

export function ModelTable({ tenant, models, sort, onSort }: ModelTableProps) {
  const order = { sort: sort ?? FIRST_ORDER, onSort: (column: string) => onSort(turned(sort, column)) }
  return <DataTable label="Models" columns={columnsOf(tenant, useCurrency())} rows={models} id={(model) => model.id} order={order} narrowest={1060} framed />
}

const columnsOf = (tenant: string, currency: string): Column<ModelCard>[] => [
  { label: 'Model', sort: 'name', card: 'title', most: 250, cell: (model) => <Name tenant={tenant} model={model} /> },
  { label: 'Status', sort: 'status', card: 'corner', cell: (model) => <StateBadge state={model.status} /> },
  { label: 'NE, control → treatment', head: <>NE control<br />→ treatment</>, sort: 'ne', card: 'more', right: true, num: true, cell: ({ ne }) => (ne.treatment === null ? NONE : <>{score(ne.control)} → <b>{score(ne.treatment)}</b></>) },
  { label: 'Lift', head: <>Lift<br />95 % interval</>, sort: 'lift', right: true, cell: (model) => <LiftValue lift={model.lift} mark /> },
  { label: 'Course', cell: (model) => <Spark points={model.spark} /> },
  { label: 'AUC', sort: 'auc', card: 'more', right: true, num: true, cell: (model) => score(model.auc.treatment) },
  { label: 'Coverage', sort: 'coverage', right: true, num: true, cell: (model) => share(model.coverage) },
  { label: 'Cost', sort: 'cost', right: true, num: true, cell: (model) => money(model.cost, currency) },
  { label: 'Measurement', sort: 'measurement', card: 'more', right: true, num: true, cell: (model) => money(model.measurement_cost, currency) },
  { label: 'Cost per 1 % NE', head: <>Cost per<br />1 % NE</>, sort: 'point', card: 'more', right: true, num: true, cell: (model) => money(model.cost_per_point, currency) },
  { label: 'Freshness gap', head: <>Freshness<br />gap</>, sort: 'freshness', card: 'more', right: true, num: true, cell: (model) => duration(model.freshness_seconds) },
]

function Name({ tenant, model }: { tenant: string; model: ModelCard }) {
  return (
    <div style={{ overflowWrap: 'anywhere' }}>
      <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: model.id }} fw={600} size="sm">{model.name}</AnchorLink>
      <Text size="xs" className="quiet">{model.task} · {model.stream.name}</Text>
    </div>
  )
}

import type { Costs } from '../../api/types'
import { money } from '../../format/money'
import { plural } from '../../format/number'
import { AnchorLink } from '../../parts/links'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import type { ModelCost } from './queries'

interface ModelCostsProps {
  tenant: string
  currency: string
  models: ModelCost[]
  /** Models that are not named, summed. */
  rest?: Costs['rest']
}

type Money = Pick<ModelCost, 'training' | 'measurement' | 'fm_share' | 'total'>
type Line = { model: ModelCost } | { rest: Costs['rest'] }

const sums = (line: Line): Money => ('model' in line ? line.model : line.rest)

export function ModelCosts({ tenant, currency, models, rest }: ModelCostsProps) {
  const lines: Line[] = [...models.map((model) => ({ model })), ...(rest ? [{ rest }] : [])]
  const show = (name: keyof Money) => (line: Line) => money(sums(line)[name], currency)
  const columns: Column<Line>[] = [
    { label: 'Model', card: 'title', cell: (line) => ('model' in line ? <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: line.model.id }} size="sm">{line.model.name}</AnchorLink> : plural(line.rest.models, 'further model')) },
    { label: 'Training', right: true, num: true, card: 'more', cell: show('training') },
    { label: 'Measurement', right: true, num: true, card: 'more', cell: show('measurement') },
    { label: 'FM share', right: true, num: true, card: 'more', cell: show('fm_share') },
    { label: 'In all', right: true, num: true, card: 'corner', cell: (line) => <b>{show('total')(line)}</b> },
  ]
  return <DataTable label="Costs by model" columns={columns} rows={lines} id={(line) => ('model' in line ? line.model.id : 'rest')} />
}

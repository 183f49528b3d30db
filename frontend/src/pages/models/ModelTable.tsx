import { Table, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ModelCard } from '../../api/types'
import { Spark } from '../../charts/Spark'
import { money } from '../../format/money'
import { score, share } from '../../format/number'
import { duration } from '../../format/time'
import { useCurrency } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { AnchorLink } from '../../parts/links'
import { LiftValue } from '../../parts/LiftValue'
import { StateBadge } from '../../parts/StateBadge'
import { turned } from './filter'
import { Scroll } from '../../parts/Scroll'

interface TableProps {
  tenant: string
  models: ModelCard[]
  sort: string | undefined
  onSort: (sort: string) => void
}

export function ModelTable({ tenant, models, sort, onSort }: TableProps) {
  const currency = useCurrency()
  const head = (column: string, label: ReactNode, right = true) => <Head column={column} sort={sort} onSort={onSort} right={right}>{label}</Head>
  return (
    <Scroll label="Models, table" className="panel">
      <Table verticalSpacing="sm" horizontalSpacing={8} highlightOnHover fz={13} miw={1060}>
        <Table.Thead>
          <Table.Tr>
            {head('name', 'Model', false)}
            {head('status', 'Status', false)}
            {head('ne', <>NE control<br />→ treatment</>)}
            {head('lift', <>Lift<br />95 % interval</>)}
            <Table.Th scope="col" style={{ verticalAlign: 'bottom' }}>Course</Table.Th>
            {head('auc', 'AUC')}
            {head('coverage', 'Coverage')}
            {head('cost', 'Cost')}
            {head('measurement', 'Measurement')}
            {head('point', <>Cost per<br />1 % NE</>)}
            {head('freshness', <>Freshness<br />gap</>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {models.map((model) => (
            <Table.Tr key={model.id}>
              <Table.Th scope="row" fw={400}>
                <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: model.id }} fw={600} size="sm" className="num">{model.name}</AnchorLink>
                <Text size="xs" className="quiet num">{model.task} · {model.stream.name}</Text>
              </Table.Th>
              <Table.Td><StateBadge state={model.status} /></Table.Td>
              <Table.Td ta="right" className="num">{score(model.ne.control)} → <b>{score(model.ne.treatment)}</b></Table.Td>
              <Table.Td ta="right"><LiftValue lift={model.lift} mark /></Table.Td>
              <Table.Td><Spark points={model.spark} /></Table.Td>
              <Table.Td ta="right" className="num">{score(model.auc.treatment)}</Table.Td>
              <Table.Td ta="right" className="num">{share(model.coverage)}</Table.Td>
              <Table.Td ta="right" className="num">{money(model.cost, currency)}</Table.Td>
              <Table.Td ta="right" className="num">{money(model.measurement_cost, currency)}</Table.Td>
              <Table.Td ta="right" className="num">{money(model.cost_per_point, currency)}</Table.Td>
              <Table.Td ta="right" className="num">{duration(model.freshness_seconds)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scroll>
  )
}

function Head({ column, sort, onSort, right, children }: { column: string; sort: string | undefined; onSort: (sort: string) => void; right: boolean; children: ReactNode }) {
  const current = sort ?? '-lift'
  const way = current === column ? 'ascending' : current === `-${column}` ? 'descending' : 'none'
  return (
    <Table.Th scope="col" aria-sort={way} ta={right ? 'right' : 'left'} style={{ verticalAlign: 'bottom', whiteSpace: 'nowrap' }}>
      <button type="button" className="sorter" onClick={() => onSort(turned(sort, column))}>
        <span>{children}</span>
        <span style={{ visibility: way === 'none' ? 'hidden' : 'visible' }}><Icon name={way === 'ascending' ? 'up' : 'down'} size={14} /></span>
      </button>
    </Table.Th>
  )
}

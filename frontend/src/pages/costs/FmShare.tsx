import { Table, Text } from '@mantine/core'
import type { Costs } from '../../api/types'
import { money } from '../../format/money'
import { count, share } from '../../format/number'
import { interval } from '../../format/time'
import { Scroll } from '../../parts/Scroll'
import { Panel } from '../../parts/Panel'

/** How the tenant's part of the foundation model's cost came about. */
export function FmShare({ costs, className }: { costs: Costs; className: string }) {
  const fm = costs.fm
  return (
    <Panel title="Share of the foundation model’s cost" note={fm.how} className={className}>
      {fm.allocations.length === 0 ? <Text size="sm" className="quiet">No period has been allocated yet.</Text> : (
        <Scroll label="Allocations of the foundation model’s cost" tall={300}><Table fz="sm" className="num">
          <Table.Thead><Table.Tr><Table.Th scope="col">Period (UTC)</Table.Th><Table.Th scope="col" ta="right">Your rows of all</Table.Th><Table.Th scope="col" ta="right">FM’s cost</Table.Th><Table.Th scope="col" ta="right">Your share</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {fm.allocations.map((line) => (
              <Table.Tr key={line.period_start}>
                <Table.Td>{interval(line.period_start, line.period_end)}</Table.Td>
                <Table.Td ta="right">{count(line.rows)} of {count(line.rows_total)} ({share(line.rows_total ? line.rows / line.rows_total : null)})</Table.Td>
                <Table.Td ta="right">{money(line.total, costs.currency)}</Table.Td><Table.Td ta="right" fw={650}>{money(line.amount, costs.currency)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table></Scroll>
      )}
    </Panel>
  )
}

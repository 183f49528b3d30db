import { Table, Text } from '@mantine/core'
import type { Run } from '../../api/types'
import { count, score } from '../../format/number'
import { minute } from '../../format/time'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import { Scroll } from '../../parts/Scroll'

export function Partitions({ run, className }: { run: Run; className: string }) {
  const rows = run.partitions.toSorted((a, b) => (b.start ?? '').localeCompare(a.start ?? ''))
  return (
    <Panel title="Partitions" note="In event time; newest first" className={className}>
      {rows.length === 0 ? <Text size="sm" className="quiet">None claimed yet.</Text> : (
        <Scroll label="Partitions of this run" tall={290}>
          <Table fz="sm" stickyHeader>
            <Table.Thead><Table.Tr><Table.Th scope="col">Start (UTC)</Table.Th><Table.Th scope="col">State</Table.Th><Table.Th scope="col" ta="right">Rows</Table.Th><Table.Th scope="col" ta="right">NE control</Table.Th><Table.Th scope="col" ta="right">NE treatment</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody className="num">
              {rows.map((row) => (
                <Table.Tr key={row.id}><Table.Td>{minute(row.start)}</Table.Td><Table.Td><StateBadge state={row.state} /></Table.Td><Table.Td ta="right">{count(row.rows)}</Table.Td><Table.Td ta="right">{score(row.ne_control)}</Table.Td><Table.Td ta="right">{score(row.ne_treatment)}</Table.Td></Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Scroll>
      )}
    </Panel>
  )
}

import { Table, Text } from '@mantine/core'
import type { Snapshot } from '../../api/types'
import { count, score } from '../../format/number'
import { minute } from '../../format/time'
import { Hint } from '../../parts/Hint'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import { Scroll } from '../../parts/Scroll'

/** Snapshots, newest first, with what the gate measured on users the FM never trains on. */
export function Snapshots({ snapshots, className }: { snapshots: Snapshot[]; className: string }) {
  const rows = snapshots.toSorted((a, b) => b.watermark.localeCompare(a.watermark))
  return (
    <Panel title="Snapshots and gate" note="On 2 % of users the foundation model never trains on; lower NE is better" className={className} aside={<Hint about="the gate">A candidate is published only if no task gets worse than the tolerance and its calibration stays inside the limits.</Hint>}>
      {rows.length === 0 ? <Text size="sm" className="quiet">The first snapshot appears when the first training period closes.</Text> : (
        <Scroll label="Snapshots, table" tall={420}>
          <Table fz="sm" stickyHeader miw={480}>
            <Table.Thead><Table.Tr><Table.Th scope="col">Watermark (UTC)</Table.Th><Table.Th scope="col">State</Table.Th><Table.Th scope="col">Gate: NE of candidate, current, calibration</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {rows.map((snapshot) => {
                const { gate } = snapshot
                return (
                  <Table.Tr key={snapshot.id}>
                    <Table.Td className="num">{minute(snapshot.watermark)}</Table.Td>
                    <Table.Td><StateBadge state={snapshot.state} /></Table.Td>
                    <Table.Td>
                      {gate.heads.map((head, at) => (
                        <Text key={at} size="sm"><span className="num">{head.task}, {head.tenant ? 'yours' : 'another tenant'}: <b>{score(head.ne_candidate)}</b> against {score(head.ne_current)}, calibration {score(head.calibration, 2)}</span> <span className="quiet">({count(head.n)} rows)</span></Text>
                      ))}
                      {gate.reason ? <Text size="xs" className="quiet">{gate.reason}</Text> : gate.heads.length ? null : <span className="quiet">{gate.decision || '–'}</span>}
                    </Table.Td>
                  </Table.Tr>
                )
              })}
            </Table.Tbody>
          </Table>
        </Scroll>
      )}
    </Panel>
  )
}

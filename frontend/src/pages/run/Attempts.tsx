import { Table, Text } from '@mantine/core'
import type { Run } from '../../api/types'
import { duration, elapsed } from '../../format/time'
import { Scroll } from '../../parts/Scroll'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import { useNow, When } from '../../parts/When'

/** Each attempt goes on from the last commit; a failure says whose fault it was. */
export function Attempts({ run, className }: { run: Run; className: string }) {
  const now = useNow()
  return (
    <Panel title="Attempts" note="Each goes on from the last committed partition" className={className}>
      {run.attempts.length === 0 ? <Text size="sm" className="quiet">No worker has taken it yet.</Text> : (
        <Scroll label="Attempts of this run" tall={290}><Table fz="sm" miw={620}>
          <Table.Thead><Table.Tr><Table.Th scope="col">No.</Table.Th><Table.Th scope="col">State</Table.Th><Table.Th scope="col">Started</Table.Th><Table.Th scope="col" ta="right">Took</Table.Th><Table.Th scope="col">What happened</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {run.attempts.map((attempt) => (
              <Table.Tr key={attempt.n}>
                <Table.Td className="num">{attempt.n}</Table.Td>
                <Table.Td><StateBadge state={attempt.state} /></Table.Td>
                <Table.Td><When at={attempt.started_at} /></Table.Td>
                <Table.Td ta="right" className="num">{duration(elapsed(attempt.started_at, attempt.finished_at, now))}</Table.Td>
                <Table.Td>{attempt.message ? `${attempt.message} ${attempt.mend}` : <span className="quiet">–</span>}{attempt.fault ? <Text size="xs" className="quiet">fault: {attempt.fault}{attempt.exit !== null ? `, exit ${attempt.exit}` : ''}</Text> : null}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table></Scroll>
      )}
    </Panel>
  )
}

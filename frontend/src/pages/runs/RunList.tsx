import { Table, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { RunCard } from '../../api/types'
import { money } from '../../format/money'
import { duration, elapsed } from '../../format/time'
import { AnchorLink } from '../../parts/links'
import { StateBadge } from '../../parts/StateBadge'
import { useNow, When } from '../../parts/When'
import { kindLabel } from './labels'
import { RunProgress } from './RunProgress'
import { Scroll } from '../../parts/Scroll'

interface RunListProps {
  tenant: string
  runs: RunCard[]
  /** Fewer columns, for panels. */
  brief?: boolean
}

/** Runs with what they do, how far they are, and why they wait or stopped. */
export function RunList({ tenant, runs, brief = false }: RunListProps) {
  const now = useNow()
  const phone = useMediaQuery('(max-width: 48em)')
  if (phone) return <>{runs.map((run) => <RunItem key={run.id} tenant={tenant} run={run} />)}</>
  return (
    <Scroll label="Runs, table">
      <Table fz="sm" verticalSpacing="xs" highlightOnHover miw={brief ? 520 : 860}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Run</Table.Th><Table.Th scope="col">State</Table.Th><Table.Th scope="col" w={brief ? 210 : 250}>Progress</Table.Th>
            {brief ? null : <><Table.Th scope="col" ta="right">Took</Table.Th><Table.Th scope="col" ta="right">Cost</Table.Th></>}
            <Table.Th scope="col" ta="right">Started</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run) => (
            <Table.Tr key={run.id}>
              <Table.Th scope="row" fw={400}><Name tenant={tenant} run={run} /></Table.Th>
              <Table.Td><StateBadge state={run.state} /><Reason run={run} /></Table.Td>
              <Table.Td><RunProgress run={run} /></Table.Td>
              {brief ? null : <><Table.Td ta="right" className="num">{duration(elapsed(run.started_at, run.finished_at, now))}</Table.Td><Table.Td ta="right" className="num">{money(run.cost.spent, run.cost.currency)}</Table.Td></>}
              <Table.Td ta="right"><When at={run.started_at ?? run.created_at} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scroll>
  )
}

function Name({ tenant, run }: { tenant: string; run: RunCard }) {
  return (
    <>
      <AnchorLink to="/t/$tenant/runs/$run" params={{ tenant, run: run.id }} fw={600} size="sm">{run.model?.name ?? `${kindLabel(run.kind)} ${run.foundation_model?.name ?? ''}`}</AnchorLink>
      <Text size="xs" className="quiet num">{run.kind} · {run.id.slice(-8)}</Text>
    </>
  )
}

function Reason({ run }: { run: RunCard }) {
  return run.reason?.message ? <Text size="xs" className="quiet" maw={260}>{run.reason.message}</Text> : null
}

function RunItem({ tenant, run }: { tenant: string; run: RunCard }) {
  return (
    <article style={{ padding: '10px 0', borderTop: '1px solid var(--line)' }}>
      <div style={{ display: 'flex', justifyContent: 'space-between', gap: 8 }}><div><Name tenant={tenant} run={run} /></div><div><StateBadge state={run.state} /></div></div>
      <Reason run={run} />
      <RunProgress run={run} />
    </article>
  )
}

import { Text } from '@mantine/core'
import type { RunCard } from '../../api/types'
import { money } from '../../format/money'
import { duration, elapsed } from '../../format/time'
import { useMay } from '../../parts/context'
import { AnchorLink } from '../../parts/links'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { useNow, When } from '../../parts/When'
import { kindLabel } from './labels'
import { RunProgress } from './RunProgress'

interface RunListProps {
  tenant: string
  runs: RunCard[]
  /** Fewer columns, for panels. */
  brief?: boolean
}

/** Runs with what they do, how far they are, and why they wait or stopped. */
export function RunList({ tenant, runs, brief = false }: RunListProps) {
  const now = useNow()
  const columns: Column<RunCard>[] = [
    { label: 'Run', card: 'title', width: '28%', cell: (run) => <Name tenant={tenant} run={run} /> },
    { label: 'State', only: 'table', width: '30%', cell: (run) => <><StateBadge state={run.state} /><Reason run={run} /></> },
    { label: 'State', only: 'card', card: 'corner', cell: (run) => <StateBadge state={run.state} /> },
    { label: 'Reason', only: 'card', card: 'note', cell: (run) => <Reason run={run} /> },
    { label: 'Progress', card: 'note', width: brief ? 190 : 250, cell: (run) => <RunProgress run={run} /> },
    ...(brief ? [] : [
      { label: 'Took', right: true, num: true, card: 'more', cell: (run) => duration(elapsed(run.started_at, run.finished_at, now)) },
      { label: 'Cost', right: true, num: true, cell: (run) => money(run.cost.spent, run.cost.currency) },
    ] satisfies Column<RunCard>[]),
    { label: 'Started', right: true, cell: (run) => <Started run={run} /> },
  ]
  return <DataTable label="Runs" columns={columns} rows={runs} id={(run) => run.id} narrowest={brief ? 520 : 860} />
}

function Name({ tenant, run }: { tenant: string; run: RunCard }) {
  const mayOpen = useMay('runs:read')
  const name = run.model?.name ?? `${kindLabel(run.kind)} ${run.foundation_model?.name ?? ''}`
  return (
    <>
      {mayOpen ? <AnchorLink to="/t/$tenant/runs/$run" params={{ tenant, run: run.id }} fw={600} size="sm" style={{ overflowWrap: 'anywhere' }}>{name}</AnchorLink> : <Text span fw={600} size="sm" style={{ overflowWrap: 'anywhere' }}>{name}</Text>}
      <Text size="xs" className="quiet num">{run.kind} · {run.id.slice(-8)}</Text>
    </>
  )
}

/** When a run started; one that waits for the first time says since when. */
function Started({ run }: { run: RunCard }) {
  if (run.started_at || run.state !== 'queued') return <When at={run.started_at} />
  return <span className="quiet">queued <When at={run.created_at} /></span>
}

function Reason({ run }: { run: RunCard }) {
  return run.reason?.message ? <Text size="xs" className="quiet" maw={360} lineClamp={3} title={run.reason.message}>{run.reason.message}</Text> : null
}

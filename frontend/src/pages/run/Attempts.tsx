import { Text } from '@mantine/core'
import type { Run } from '../../api/types'
import { duration, elapsed } from '../../format/time'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { useNow, When } from '../../parts/When'

type Attempt = Run['attempts'][number]

/** Each attempt goes on from the last commit; a failure says whose fault it was. */
export function Attempts({ run, className }: { run: Run; className: string }) {
  const now = useNow()
  const columns: Column<Attempt>[] = [
    { label: 'No.', card: 'title', num: true, cell: ({ n }) => <><span className="on-card">Attempt </span>{n}</> },
    { label: 'State', card: 'corner', cell: (attempt) => <StateBadge state={attempt.state} /> },
    { label: 'Started', cell: (attempt) => <When at={attempt.started_at} /> },
    { label: 'Took', right: true, num: true, cell: (attempt) => duration(elapsed(attempt.started_at, attempt.finished_at, now)) },
    { label: 'What happened', card: 'note', cell: (attempt) => <Happened attempt={attempt} /> },
  ]
  return (
    <Panel title="Attempts" note="Each goes on from the last committed partition" className={className}>
      {run.attempts.length === 0 ? <Text size="sm" className="quiet">No worker has taken it yet.</Text> : <DataTable label="Attempts of this run" columns={columns} rows={run.attempts} id={({ n }) => String(n)} narrowest={480} tall={290} />}
    </Panel>
  )
}

function Happened({ attempt }: { attempt: Attempt }) {
  return (
    <>
      {attempt.message ? `${attempt.message} ${attempt.mend}` : <span className="quiet">–</span>}
      {attempt.fault ? <Text size="xs" className="quiet">fault: {attempt.fault}{attempt.exit !== null ? `, exit ${attempt.exit}` : ''}</Text> : null}
    </>
  )
}

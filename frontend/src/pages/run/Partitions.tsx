import { Text } from '@mantine/core'
import type { Run } from '../../api/types'
import { count, score } from '../../format/number'
import { minute } from '../../format/time'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'

const COLUMNS: Column<Run['partitions'][number]>[] = [
  { label: 'Start (UTC)', card: 'title', num: true, cell: (row) => minute(row.start) },
  { label: 'State', card: 'corner', cell: (row) => <StateBadge state={row.state} /> },
  { label: 'Rows', right: true, num: true, cell: (row) => count(row.rows) },
  { label: 'NE control', right: true, num: true, cell: (row) => score(row.ne_control) },
  { label: 'NE treatment', right: true, num: true, cell: (row) => score(row.ne_treatment) },
]

export function Partitions({ run, className }: { run: Run; className: string }) {
  const rows = run.partitions.toSorted((a, b) => (b.start ?? '').localeCompare(a.start ?? ''))
  return (
    <Panel title="Partitions" note="In event time; newest first" className={className}>
      {rows.length === 0 ? <Text size="sm" className="quiet">None claimed yet.</Text> : <DataTable label="Partitions of this run" columns={COLUMNS} rows={rows} id={(row) => row.id} narrowest={520} tall={290} />}
    </Panel>
  )
}

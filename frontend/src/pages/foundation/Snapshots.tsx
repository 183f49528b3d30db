import { Text } from '@mantine/core'
import type { Snapshot } from '../../api/types'
import { count, score } from '../../format/number'
import { minute } from '../../format/time'
import { Hint } from '../../parts/Hint'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'

const COLUMNS: Column<Snapshot>[] = [
  { label: 'Watermark (UTC)', card: 'title', num: true, cell: (snapshot) => minute(snapshot.watermark) },
  { label: 'State', card: 'corner', cell: (snapshot) => <StateBadge state={snapshot.state} /> },
  { label: 'Gate: NE of candidate, current, calibration', card: 'note', cell: ({ gate }) => <Gate gate={gate} /> },
]

/** Snapshots, newest first, with what the gate measured on users the FM never trains on. */
export function Snapshots({ snapshots, className }: { snapshots: Snapshot[]; className: string }) {
  const rows = snapshots.toSorted((a, b) => b.watermark.localeCompare(a.watermark))
  return (
    <Panel title="Snapshots and gate" note="On 2 % of users the foundation model never trains on; lower NE is better" className={className} aside={<Hint about="the gate">A candidate is published only if no task gets worse than the tolerance and its calibration stays inside the limits.</Hint>}>
      {rows.length === 0 ? <Text size="sm" className="quiet">The first snapshot appears when the first training period closes.</Text> : (
        <DataTable label="Snapshots" columns={COLUMNS} rows={rows} id={(snapshot) => snapshot.id} narrowest={480} tall={420} />
      )}
    </Panel>
  )
}

function Gate({ gate }: Pick<Snapshot, 'gate'>) {
  return (
    <>
      {gate.heads.map((head, at) => (
        <Text key={at} size="sm">{head.task}, {head.tenant ? 'yours' : 'another tenant'}: <b className="num">{score(head.ne_candidate)}</b> against <span className="num">{score(head.ne_current)}</span>, calibration <span className="num">{score(head.calibration, 2)}</span> <span className="quiet">({count(head.n)} rows)</span></Text>
      ))}
      {gate.reason ? <Text size="xs" className="quiet">{gate.reason}</Text> : gate.heads.length ? null : <span className="quiet">{gate.decision || '–'}</span>}
    </>
  )
}

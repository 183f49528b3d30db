import { Button, Text } from '@mantine/core'
import type { Partition } from '../../api/types'
import { bytes, count, share } from '../../format/number'
import { interval } from '../../format/time'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { PartitionUses } from './PartitionUses'
import { Problems } from './Problems'
import { removePartition } from './queries'
import { partitionLoss } from './removal'
import { RemoveButton } from './RemoveButton'

/** Positive labels per task as a share of rows. */
function rates(partition: Partition): string {
  const { rows, positives } = partition
  if (!rows) return '–'
  return Object.entries(positives).map(([task, n]) => `${task} ${share(n / rows, 2)}`).join(', ') || '–'
}

interface PartitionTableProps {
  tenant: string
  stream: string
  partitions: Partition[]
  picked: string | undefined
  onPick: (id: string | undefined) => void
}

export function PartitionTable({ tenant, stream, partitions, picked, onPick }: PartitionTableProps) {
  const columns: Column<Partition>[] = [
    { label: 'Event time (UTC)', card: 'title', num: true, cell: (partition) => interval(partition.start, partition.end) },
    { label: 'State', card: 'corner', cell: (partition) => <StateBadge state={partition.state} /> },
    { label: 'Rows', right: true, num: true, cell: (partition) => count(partition.rows) },
    { label: 'Label rate', num: true, cell: rates },
    { label: 'Label sets', right: true, num: true, card: 'more', cell: (partition) => count(partition.label_sets) },
    { label: 'Size', right: true, num: true, card: 'more', cell: (partition) => bytes(partition.bytes) },
    { label: 'SHA-256', card: 'more', cell: (partition) => <Text span size="xs" ff="monospace" title={partition.sha256}>{partition.sha256.slice(0, 12)}</Text> },
    { label: 'Uses', card: 'actions', cell: ({ id, start, end }) => <Button size="compact-xs" variant="default" aria-expanded={id === picked} aria-label={`Uses of ${interval(start, end)}`} onClick={() => onPick(id === picked ? undefined : id)}>Uses</Button> },
  ]
  return (
    <Panel title="Partitions" note="Newest first; immutable once sealed">
      <DataTable label="Partitions" columns={columns} rows={partitions} id={({ id }) => id} narrowest={800} tall={520} current={picked} below={(partition) => (partition.id === picked || partition.problems.length > 0 ? (
        <>
          {partition.id === picked ? (
            <PartitionUses tenant={tenant} stream={stream} partition={partition.id}>
              <RemoveButton tenant={tenant} what={`the partition ${interval(partition.start, partition.end)} UTC`} label="Delete the partition" remove={() => removePartition(tenant, stream, partition.id)} onDone={() => onPick(undefined)}>{partitionLoss(partition)}</RemoveButton>
            </PartitionUses>
          ) : null}
          {partition.problems.length > 0 ? <Problems problems={partition.problems} /> : null}
        </>
      ) : null)} />
    </Panel>
  )
}

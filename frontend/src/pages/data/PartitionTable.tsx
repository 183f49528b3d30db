import { Button, Table, Text } from '@mantine/core'
import { useEffect, useRef } from 'react'
import type { Partition } from '../../api/types'
import { bytes, count, share } from '../../format/number'
import { interval } from '../../format/time'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import { PartitionUses } from './PartitionUses'
import { Problems } from './Problems'
import { Scroll } from '../../parts/Scroll'

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
  return (
    <Panel title="Partitions" note="Newest first; immutable once sealed">
      <Scroll label="Partitions, table" tall={520}>
        <Table fz="sm" stickyHeader miw={800}>
          <Table.Thead><Table.Tr><Table.Th scope="col">Event time (UTC)</Table.Th><Table.Th scope="col">State</Table.Th><Table.Th scope="col" ta="right">Rows</Table.Th><Table.Th scope="col">Label rate</Table.Th><Table.Th scope="col" ta="right">Label sets</Table.Th><Table.Th scope="col" ta="right">Size</Table.Th><Table.Th scope="col">SHA-256</Table.Th><Table.Th scope="col"><span className="skip">Uses</span></Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>{partitions.map((partition) => <Row key={partition.id} tenant={tenant} stream={stream} partition={partition} picked={partition.id === picked} onPick={onPick} />)}</Table.Tbody>
        </Table>
      </Scroll>
    </Panel>
  )
}

interface RowProps {
  tenant: string
  stream: string
  partition: Partition
  picked: boolean
  onPick: (id: string | undefined) => void
}

function Row({ tenant, stream, partition, picked, onPick }: RowProps) {
  const row = useRef<HTMLTableRowElement>(null)
  useEffect(() => { if (picked) row.current?.scrollIntoView({ block: 'nearest' }) }, [picked])
  return (
    <>
      <Table.Tr ref={row} bg={picked ? 'var(--mantine-primary-color-light)' : undefined} className="num">
        <Table.Td>{interval(partition.start, partition.end)}</Table.Td>
        <Table.Td><StateBadge state={partition.state} /></Table.Td>
        <Table.Td ta="right">{count(partition.rows)}</Table.Td>
        <Table.Td>{rates(partition)}</Table.Td>
        <Table.Td ta="right">{count(partition.label_sets)}</Table.Td>
        <Table.Td ta="right">{bytes(partition.bytes)}</Table.Td>
        <Table.Td><Text span size="xs" ff="monospace" title={partition.sha256}>{partition.sha256.slice(0, 12)}</Text></Table.Td>
        <Table.Td ta="right"><Button size="compact-xs" variant="default" aria-expanded={picked} aria-label={`Uses of ${interval(partition.start, partition.end)}`} onClick={() => onPick(picked ? undefined : partition.id)}>Uses</Button></Table.Td>
      </Table.Tr>
      {picked ? <Table.Tr><Table.Td colSpan={8}><PartitionUses tenant={tenant} stream={stream} partition={partition.id} /></Table.Td></Table.Tr> : null}
      {partition.problems.length ? <Table.Tr><Table.Td colSpan={8}><Problems problems={partition.problems} /></Table.Td></Table.Tr> : null}
    </>
  )
}

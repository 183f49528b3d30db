import { Button, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { components } from '../../api/schema'
import { count, plural } from '../../format/number'
import { minute } from '../../format/time'
import { AnchorLink } from '../../parts/links'
import { Resource } from '../../states/Resource'
import { consumersQuery, partitionUsesQuery } from './queries'

interface PartitionUsesProps {
  tenant: string
  stream: string
  partition: string
}

interface ShownUsesProps extends PartitionUsesProps {
  /** What can be done about the partition. */
  children?: ReactNode
}

/** What came of a partition: who labelled it, and which models learned from it. */
export function PartitionUses({ tenant, stream, partition, children }: ShownUsesProps) {
  return (
    <div className="well" style={{ padding: 'var(--mantine-spacing-sm)' }}>
      <Resource query={useQuery(partitionUsesQuery(tenant, stream, partition))} rows={1}>
        {({ label_sets, consumed_by, all_consumed_by }) => (
          <>
            <Text size="sm" fw={600}>{plural(label_sets.length, 'label set')}, consumed {all_consumed_by ? `more than ${consumed_by.length} times` : plural(consumed_by.length, 'time')}</Text>
            <ul style={{ margin: 0, paddingLeft: 18, fontSize: 13 }}>
              {label_sets.map((set) => <li key={set.id}>labelled by snapshot {set.snapshot.slice(-8)} (watermark {minute(set.watermark)} UTC): {set.tasks.join(', ')}, {count(set.rows)} rows</li>)}
              {consumed_by.map((use) => <Step key={use.checkpoint} tenant={tenant} use={use} />)}
              {all_consumed_by ? <Further tenant={tenant} stream={stream} partition={partition} shown={consumed_by.length} /> : null}
            </ul>
          </>
        )}
      </Resource>
      {children}
    </div>
  )
}

function Step({ tenant, use }: { tenant: string; use: components['schemas']['Consumer'] }) {
  return (
    <li>
      <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: use.model.id }} size="sm" underline="always">{use.model.name}</AnchorLink> version {use.model.version}, {use.model.arm}: checkpoint {use.checkpoint.slice(-8)}
    </li>
  )
}

/** Older steps than those shown, read page by page when asked for. */
function Further({ tenant, stream, partition, shown }: PartitionUsesProps & { shown: number }) {
  const [asked, setAsked] = useState(false)
  const query = useInfiniteQuery({ ...consumersQuery(tenant, stream, partition), enabled: asked })
  const steps = query.data?.pages.flatMap((page) => page.results).slice(shown) ?? []
  const more = () => {
    if (query.data) void query.fetchNextPage()
    setAsked(true)
  }
  return (
    <>
      {steps.map((use) => <Step key={use.checkpoint} tenant={tenant} use={use} />)}
      {!query.data || query.hasNextPage ? <li style={{ listStyle: 'none' }}><Button size="compact-xs" variant="default" loading={query.isFetching} onClick={more}>Show more</Button></li> : null}
    </>
  )
}

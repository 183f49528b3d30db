import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { count, plural } from '../../format/number'
import { minute } from '../../format/time'
import { AnchorLink } from '../../parts/links'
import { Resource } from '../../states/Resource'
import { partitionUsesQuery } from './queries'

/** What came of a partition: who labelled it, and which models learned from it. */
export function PartitionUses({ tenant, stream, partition }: { tenant: string; stream: string; partition: string }) {
  return (
    <Resource query={useQuery(partitionUsesQuery(tenant, stream, partition))} rows={1}>
      {({ label_sets, consumed_by }) => (
        <div className="well" style={{ padding: 'var(--mantine-spacing-sm)' }}>
          <Text size="sm" fw={600}>{plural(label_sets.length, 'label set')}, consumed {plural(consumed_by.length, 'time')}</Text>
          <ul style={{ margin: 0, paddingLeft: 18, fontSize: 13 }}>
            {label_sets.map((set) => <li key={set.id}>labelled by snapshot {set.snapshot.slice(-8)} (watermark {minute(set.watermark)} UTC): {set.tasks.join(', ')}, {count(set.rows)} rows</li>)}
            {consumed_by.map((use) => (
              <li key={use.checkpoint}>
                <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: use.model.id }} size="sm" underline="always">{use.model.name}</AnchorLink> version {use.model.version}, {use.model.arm}: checkpoint {use.checkpoint.slice(-8)}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Resource>
  )
}

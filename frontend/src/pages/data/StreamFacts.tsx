import { Badge, Group, SimpleGrid, Spoiler, Title } from '@mantine/core'
import type { Stream } from '../../api/types'
import { compact, count } from '../../format/number'
import { duration } from '../../format/time'
import { Command } from '../../parts/Command'
import { Figure } from '../../parts/Figure'
import { removeStream } from './queries'
import { streamLoss } from './removal'
import { RemoveButton } from './RemoveButton'
import { TermsButton } from './TermsButton'

/** What a stream is: size, consents, label deadline, schema. */
export function StreamFacts({ tenant, stream, onRemoved }: { tenant: string; stream: Stream; onRemoved: () => void }) {
  const { sealed, rejected, rows } = stream.partitions
  return (
    <section className="panel" aria-label={`Stream ${stream.name}`} style={{ padding: 'var(--mantine-spacing-md)' }}>
      <Group justify="space-between" mb="sm">
        <Title order={2} style={{ overflowWrap: 'anywhere' }}>{stream.name}</Title>
        <Group gap="xs">
          <TermsButton tenant={tenant} stream={stream} />
          <RemoveButton tenant={tenant} what={`the stream ${stream.name}`} label="Delete the stream" remove={() => removeStream(tenant, stream.id)} onDone={onRemoved}>{streamLoss(stream)}</RemoveButton>
        </Group>
      </Group>
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="md" mb="sm">
        <Figure label="Sealed partitions">{count(sealed)}</Figure>
        <Figure label="Rejected"><span className={rejected ? 'bad' : ''}>{count(rejected)}</span></Figure>
        <Figure label="Rows"><span title={count(rows)}>{compact(rows)}</span></Figure>
        <Figure label="Label deadline" hint="How long training waits for the foundation model’s labels of a partition before it goes on without them.">{duration(stream.label_deadline_seconds)}</Figure>
        <Figure label="Consents" hint="Feeds the FM: it may train on this stream. Shared starters: platform-owned starter models may. Withdrawing stops future use; trained weights are not unlearned.">
          <Group gap={6}>
            <Badge color={stream.feed_fm ? 'teal' : 'gray'} className={stream.feed_fm ? 'state-teal' : 'state-gray'}>{stream.feed_fm ? 'feeds the FM' : 'not for the FM'}</Badge>
            <Badge color={stream.feed_shared ? 'teal' : 'gray'} className={stream.feed_shared ? 'state-teal' : 'state-gray'}>{stream.feed_shared ? 'feeds starters' : 'not for starters'}</Badge>
          </Group>
        </Figure>
      </SimpleGrid>
      <Spoiler maxHeight={0} showLabel="Show the schema" hideLabel="Hide the schema"><Command label="schema">{JSON.stringify(stream.schema, null, 2)}</Command></Spoiler>
    </section>
  )
}

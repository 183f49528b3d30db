import { Alert, SimpleGrid } from '@mantine/core'
import type { Run } from '../../api/types'
import { signed } from '../../format/lift'
import { money } from '../../format/money'
import { compact, count, NONE, score } from '../../format/number'
import { duration, elapsed } from '../../format/time'
import { Figure } from '../../parts/Figure'
import { Icon } from '../../parts/icons'
import { useNow, When } from '../../parts/When'
import { isOpen } from '../runs/labels'
import { RunProgress } from '../runs/RunProgress'

/** Where the run stands: reason, queue, progress, speed, live metrics, cost so far. */
export function Now({ run }: { run: Run }) {
  const now = useNow()
  const progress = run.progress
  const metrics: Partial<Record<string, number>> = progress?.metrics ?? {}
  const control = metrics.ne_control ?? null
  const treatment = metrics.ne_treatment ?? null
  const done = run.partitions.filter((partition) => partition.state === 'done')
  const gain = control && treatment !== null ? ((control - treatment) / control) * 100 : null
  return (
    <section className="panel" aria-label="Where it stands" style={{ padding: 'var(--mantine-spacing-md)' }}>
      {run.reason?.message ? <Alert mb="md" p="xs" variant="light" color={run.state === 'failed' ? 'red' : 'gray'} icon={<Icon name="info" size={16} />}>{run.reason.message}{run.state === 'queued' && run.holders.length ? ` Held by: ${run.holders.join(', ')}.` : ''}</Alert> : null}
      {isOpen(run) ? <RunProgress run={run} tall /> : null}
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="md" mt="sm">
        {isOpen(run) ? (
          <>
            <Figure label="Rows" sub={progress?.partition ? 'in this partition' : null}>{progress?.rows_total ? `${compact(progress.rows)} of ${compact(progress.rows_total)}` : NONE}</Figure>
            <Figure label="Speed">{progress?.rows_per_s ? `${count(progress.rows_per_s)} rows/s` : NONE}</Figure>
            <Figure label="NE, control" hint="Live, for this partition so far. Only committed partitions count for lift and cost.">{score(control)}</Figure>
            <Figure label="NE, treatment" sub={gain === null ? null : `${signed(gain, 2)} % NE so far, no interval`}>{score(treatment)}</Figure>
          </>
        ) : (
          <>
            <Figure label="Partitions">{count(done.length)}</Figure>
            <Figure label="Rows" sub="in committed partitions">{count(done.reduce((sum, partition) => sum + (partition.rows ?? 0), 0))}</Figure>
          </>
        )}
        <Figure label={isOpen(run) ? 'Running for' : 'Took'} sub={<>started <When at={run.started_at} /></>}>{duration(elapsed(run.started_at, run.finished_at, now))}</Figure>
        <Figure label={isOpen(run) ? 'Cost so far' : 'Cost'} sub={`${money(run.cost.measurement, run.cost.currency)} measurement, ${money(run.cost.reserved, run.cost.currency)} reserved`}>{money(run.cost.spent, run.cost.currency)}</Figure>
      </SimpleGrid>
    </section>
  )
}

import { Group, Progress, Text } from '@mantine/core'
import type { RunCard } from '../../api/types'
import { percentOf } from '../../format/money'
import { compact, count } from '../../format/number'
import { duration } from '../../format/time'
import { isOpen } from './labels'

/** Partitions done, and rows within the current one. While waiting: the place in the queue. */
export function RunProgress({ run, tall = false }: { run: RunCard; tall?: boolean }) {
  const progress = run.progress
  if (run.state === 'queued') return <Text size="sm" className="quiet">{run.position ? `${count(run.position)}. in the queue` : 'in the queue'}</Text>
  const done = progress?.done ?? 0
  const within = progress?.rows_total ? progress.rows / progress.rows_total : 0
  const planned = Math.max(progress?.planned ?? 0, done)
  const percent = planned ? percentOf(done + (isOpen(run) && done < planned ? within : 0), planned) : isOpen(run) ? within * 100 : 100
  const waiting = planned > 0 && done >= planned
  if (!isOpen(run)) return <Text size="sm" className="num quiet">{count(done)} {done === 1 ? 'partition' : 'partitions'}</Text>
  return (
    <div style={{ minWidth: 130 }}>
      <Progress value={percent} size={tall ? 14 : 8} animated={run.state === 'running' && !waiting} color="ink.6" aria-label={`${percent.toFixed(0)} % done`} />
      <Group justify="space-between" gap="xs" mt={3} wrap="nowrap">
        <Text size="xs" className="quiet num">{count(done)}{planned ? ` of ${count(planned)}` : ''} partitions{progress?.rows_per_s && !waiting ? ` · ${compact(progress.rows_per_s)} rows/s` : ''}</Text>
        <Text size="xs" className="quiet num">{waiting ? 'waits for the next' : progress?.eta_seconds ? `${duration(progress.eta_seconds)} left` : ''}</Text>
      </Group>
    </div>
  )
}

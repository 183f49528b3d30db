import { type KeyboardEvent, useEffect, useState } from 'react'
import type { Partition } from '../../api/types'
import { ChartCard } from '../../charts/ChartCard'
import { usePalette } from '../../charts/palette'
import { useWidth } from '../../charts/useWidth'
import { count } from '../../format/number'
import { day, interval } from '../../format/time'
import { STAGES, summary } from './stages'

const LABEL = 72
const ROW = 26
const NARROWEST = 5

interface TimelineProps {
  partitions: Partition[]
  /** Whether there are pages besides this one. */
  more: boolean
  onPick: (id: string) => void
}

/** Partitions in event-time order, one column each; rows say how far each has come. Arrow keys move, Enter picks. */
export function Timeline({ partitions, more, onPick }: TimelineProps) {
  const [box, width] = useWidth<HTMLDivElement>()
  const [at, setAt] = useState<number | null>(null)
  const palette = usePalette()
  const step = Math.max(NARROWEST, Math.min(34, (width - LABEL) / Math.max(1, partitions.length)))
  const total = Math.max(width, LABEL + step * partitions.length)
  const drawn = width > 0
  const height = STAGES.length * ROW + 26
  const current = at === null ? undefined : partitions[at]
  const first = partitions[0]
  const last = partitions.at(-1)

  // The newest stands at the right end. (Newer browsers answer scrollTo with a promise, which is no effect's clean-up.)
  useEffect(() => { box.current?.scrollTo({ left: box.current.scrollWidth }) }, [box, total, drawn])

  const reveal = (column: number) => {
    const view = box.current
    if (!view) return
    const [start, end] = [LABEL + column * step, LABEL + (column + 1) * step]
    if (start < view.scrollLeft + LABEL) view.scrollTo({ left: start - LABEL })
    else if (end > view.scrollLeft + view.clientWidth) view.scrollTo({ left: end - view.clientWidth })
  }
  const keys = (event: KeyboardEvent) => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key]
    if (move !== undefined) {
      event.preventDefault()
      const next = Math.max(0, Math.min(partitions.length - 1, (at ?? (move < 0 ? partitions.length : -1)) + move))
      setAt(next)
      reveal(next)
    } else if (event.key === 'Enter' && current) onPick(current.id)
  }
  return (
    <ChartCard title="Partitions over event time" note={`${count(partitions.length)} partitions${more ? ' of this page' : ''}; a filled cell means the stage is reached, a crossed one that the file was rejected`} table={{
      columns: ['start (UTC)', 'end (UTC)', 'state', 'rows', 'label sets', 'trained, lineages'],
      rows: partitions.map((partition) => [partition.start, partition.end, partition.state, partition.rows, partition.label_sets, partition.trained]),
    }}>
      <div style={{ position: 'relative' }}>
        {total > width ? <div aria-hidden className="stages" style={{ width: LABEL }}>{STAGES.map((stage) => <div key={stage.name} style={{ height: ROW }}>{stage.name}</div>)}</div> : null}
        <div ref={box} role="application" aria-roledescription="timeline" tabIndex={0} onKeyDown={keys} onBlur={() => setAt(null)} aria-label={`Timeline of ${partitions.length} partitions. Arrow keys move, Enter shows one.`} style={{ overflowX: 'auto' }}>
          {drawn ? (
            <svg data-chart width={total} height={height} fontSize={12} style={{ display: 'block' }} onMouseLeave={() => setAt(null)}>
              {STAGES.map((stage, row) => <text key={stage.name} x={0} y={row * ROW + 17} fill={palette.quiet}>{stage.name}</text>)}
              {partitions.map((partition, column) => {
                const x = LABEL + column * step
                const rejected = partition.state === 'rejected'
                return (
                  <g key={partition.id} onMouseEnter={() => setAt(column)} onClick={() => onPick(partition.id)} style={{ cursor: 'pointer' }}>
                    {STAGES.map((stage, row) => {
                      const y = row * ROW + 3
                      const reached = stage.reached(partition)
                      return (
                        <g key={stage.name}>
                          <rect x={x + 1} y={y} width={step - 2} height={ROW - 6} rx={2} fill={reached ? palette.treatment : palette.grid} fillOpacity={reached ? 1 - row * 0.22 : 1} stroke={column === at ? palette.text : 'none'} strokeWidth={1.5} />
                          {rejected && row === 0 ? <path d={`M${x + 2},${y + 2}L${x + step - 2},${y + ROW - 8}M${x + step - 2},${y + 2}L${x + 2},${y + ROW - 8}`} stroke={palette.loss} strokeWidth={2} /> : null}
                        </g>
                      )
                    })}
                  </g>
                )
              })}
              <text x={LABEL} y={height - 6} fill={palette.quiet}>{first ? day(first.start) : ''}</text>
              <text x={Math.min(total, LABEL + step * partitions.length)} y={height - 6} textAnchor="end" fill={palette.quiet}>{last && first && day(last.end) !== day(first.start) && step * partitions.length > 180 ? day(last.end) : ''}</text>
            </svg>
          ) : null}
        </div>
      </div>
      <div role="status" className="quiet num" style={{ minHeight: 22, fontSize: 14, whiteSpace: 'normal' }}>
        {current ? `${interval(current.start, current.end)} UTC: ${count(current.rows)} rows, ${summary(current)}${current.problems.length ? `, ${current.problems.length} problems` : ''}` : 'Point at a cell, or use the arrow keys.'}
      </div>
    </ChartCard>
  )
}

import { Tooltip } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { KeyboardEvent } from 'react'
import type { ModelCard } from '../api/types'
import { liftText, signed, verdict, VERDICT_WORDS } from '../format/lift'
import { count } from '../format/number'
import { usePalette } from './palette'
import { fitted, forestDomain, ticks } from './scale'
import { useWidth } from './useWidth'

const NARROW = 560
const AXIS = 44
/** Width of a character at 13 px, a little generous. */
const CHARACTER = 7.6

interface Measured { model: ModelCard; value: number; low: number; high: number }

function measured(models: ModelCard[]): Measured[] {
  return models
    .flatMap((model) => {
      const { value, low, high } = model.lift
      return value === null ? [] : [{ model, value, low: low ?? value, high: high ?? value }]
    })
    .sort((a, b) => b.value - a.value)
}

/** Lift per model with its 95 % interval: one row per model, one common axis, zero marked. Rows are links. */
export function ForestPlot({ tenant, models }: { tenant: string; models: ModelCard[] }) {
  const [box, width] = useWidth<HTMLDivElement>()
  const palette = usePalette()
  const navigate = useNavigate()
  const rows = measured(models)
  const narrow = width < NARROW
  const rowHeight = narrow ? 54 : 40
  const left = narrow ? 8 : Math.min(210, Math.max(120, ...rows.map((row) => row.model.name.length * CHARACTER + 16)))
  const right = narrow ? 8 : 168
  const [low, high] = forestDomain(rows)
  const x = (value: number) => left + ((value - low) / (high - low)) * Math.max(1, width - left - right)
  const inside = (value: number) => Math.max(low, Math.min(high, value))
  const height = rows.length * rowHeight + AXIS
  const base = rows.length * rowHeight

  // A rim in the page's colour keeps text readable where it crosses a grid line.
  const halo = { stroke: palette.page, strokeWidth: 4, paintOrder: 'stroke' }

  return (
    <div ref={box} style={{ width: '100%', minHeight: height }}>
      {width > 0 ? (
        <svg data-chart width={width} height={height} viewBox={`0 0 ${width} ${height}`} fontSize={13} role="group" aria-label="Lift per model with 95 % interval" style={{ display: 'block' }}>
          {ticks(low, high, narrow ? 4 : 6).map((tick) => (
            <g key={tick}>
              <line x1={x(tick)} x2={x(tick)} y1={0} y2={base} stroke={tick === 0 ? palette.quiet : palette.grid} strokeWidth={tick === 0 ? 1.5 : 1} />
              <text x={x(tick)} y={base + 16} textAnchor="middle" fill={palette.quiet} fontSize={12}>{tick === 0 ? '0' : signed(tick, tick % 1 ? (tick * 10) % 1 ? 2 : 1 : 0)}</text>
            </g>
          ))}
          <text x={(left + width - right) / 2} y={base + 36} textAnchor="middle" fill={palette.quiet} fontSize={12}>NE gain over control, % (right of 0 is better)</text>
          {rows.map((row, at) => {
            const text = liftText(row.model.lift)
            const judged = verdict(row.model.lift)
            const colour = judged === 'gain' ? palette.gain : judged === 'loss' ? palette.loss : palette.unclear
            const y = at * rowHeight + (narrow ? 38 : rowHeight / 2)
            const textY = narrow ? at * rowHeight + 18 : y + 4
            const room = narrow ? width - text.full.length * CHARACTER - 16 : left - 14
            const shown = fitted(row.model.name, room, CHARACTER)
            const open = () => void navigate({ to: '/t/$tenant/models/$model', params: { tenant, model: row.model.id } })
            const keys = (event: KeyboardEvent) => { if (event.key === 'Enter') open() }
            return (
              <Tooltip key={row.model.id} label={`${row.model.name}: ${text.full} (${text.range}), ${count(row.model.lift.rows)} rows: ${VERDICT_WORDS[judged]}`}>
                <g role="link" tabIndex={0} aria-label={`${shown}: ${text.full}, ${VERDICT_WORDS[judged]}${shown === row.model.name ? '' : ` (${row.model.name})`}`} onClick={open} onKeyDown={keys} style={{ cursor: 'pointer' }}>
                  <rect x={0} y={at * rowHeight} width={width} height={rowHeight} fill="transparent" />
                  <text x={narrow ? 4 : left - 14} y={textY} textAnchor={narrow ? 'start' : 'end'} fill={palette.text} fontWeight={600} {...halo}>{shown}</text>
                  <line x1={x(inside(row.low))} x2={x(inside(row.high))} y1={y} y2={y} stroke={colour} strokeWidth={2.5} />
                  <End at={x(inside(row.low))} y={y} cut={row.low < low ? -1 : 0} colour={colour} />
                  <End at={x(inside(row.high))} y={y} cut={row.high > high ? 1 : 0} colour={colour} />
                  <rect x={x(row.value) - 5} y={y - 5} width={10} height={10} rx={2} fill={colour} />
                  <text x={narrow ? width - 4 : width - right + 14} y={textY} textAnchor={narrow ? 'end' : 'start'} fontSize={13} {...halo}>
                    <tspan fill={colour} fontWeight={600}>{text.figure}</tspan><tspan fill={palette.quiet}> {text.spread}</tspan>
                  </text>
                </g>
              </Tooltip>
            )
          })}
        </svg>
      ) : null}
    </div>
  )
}

/** The end of an interval: a serif, or an arrow where the axis cuts it off. */
function End({ at, y, cut, colour }: { at: number; y: number; cut: -1 | 0 | 1; colour: string }) {
  if (cut === 0) return <line x1={at} x2={at} y1={y - 5} y2={y + 5} stroke={colour} strokeWidth={2} />
  return <path d={`M${at - cut * 7},${y - 5}L${at},${y}L${at - cut * 7},${y + 5}`} fill="none" stroke={colour} strokeWidth={2} />
}

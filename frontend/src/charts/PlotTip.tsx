import { Paper, Text } from '@mantine/core'
import { NONE } from '../format/number'
import type { Line } from './TimeSeries'

const WIDE = 230

interface PlotTipProps {
  left: number
  width: number
  name: string
  at: number
  lines: Line[]
  format: (value: number) => string
}

/** What lies under the cursor; announced politely for those who move by keyboard. */
export function PlotTip({ left, width, name, at, lines, format }: PlotTipProps) {
  const x = left + 14 + WIDE > width ? Math.max(0, left - WIDE - 14) : left + 14
  return (
    <Paper role="status" shadow="md" p="xs" withBorder style={{ position: 'absolute', left: x, top: 12, width: WIDE, pointerEvents: 'none', zIndex: 5 }}>
      <Text size="xs" className="quiet">{name}</Text>
      {lines.map((line) => {
        const value = line.values[at]
        const low = line.low?.[at]
        const high = line.high?.[at]
        return (
          <Text key={line.label} size="sm" component="div" className="num" style={{ whiteSpace: 'normal' }}>
            <span style={{ color: line.colour }} aria-hidden>● </span>{line.label}: <b>{value == null ? NONE : format(value)}</b>
            {low != null && high != null ? <Text span size="xs" className="quiet"> ({format(low)} … {format(high)})</Text> : null}
          </Text>
        )
      })}
    </Paper>
  )
}

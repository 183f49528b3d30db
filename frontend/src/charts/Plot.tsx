import 'uplot/dist/uPlot.min.css'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import { Legend } from './Legend'
import { fade, usePalette } from './palette'
import { drawBands, drawBars, yRange } from './marks'
import type { TimeSeriesProps } from './TimeSeries'
import { PlotTip } from './PlotTip'
import { useWidth } from './useWidth'

/** 24-hour ticks; the day stands below the first tick of each day. Columns as uPlot documents for `axis.values`. */
const TIME_TICKS: uPlot.Axis.Values = [
  [31536000, '{YYYY}', null, null, null, null, null, null, 1],
  [2419200, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86400, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [3600, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [60, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
]

const FONT = '12px "Inter Variable", sans-serif'

interface Spot {
  at: number
  left: number
}

/** The point under the cursor, null when it is outside. */
function under(plot: uPlot): Spot | null {
  const { idx, left } = plot.cursor
  if (idx == null || left == null || left < 0) return null
  return { at: idx, left: plot.valToPos(plot.data[0][idx] ?? 0, 'x') + plot.bbox.left / devicePixelRatio }
}

/** The known spot while nothing moved, so that a redraw under a resting cursor does not cause the next one. */
const moved = (known: Spot | null, next: Spot | null) => (known?.at === next?.at && known?.left === next?.left ? known : next)

/** The drawing itself. Pointer or arrow keys move through the points; drag zooms, double click resets. */
export default function Plot({ label, times, names, lines, yLabel, format, height = 280, zero = false }: TimeSeriesProps) {
  const [box, width] = useWidth<HTMLDivElement>()
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef({ times, lines, format })
  const [cursor, setCursor] = useState<Spot | null>(null)
  const palette = usePalette()
  const looks = JSON.stringify(lines.map((line) => [line.label, line.colour, line.look, line.dash]))

  useEffect(() => {
    latest.current = { times, lines, format }
    plot.current?.setData([times, ...lines.map((line) => line.values)])
  }, [times, lines, format])

  useEffect(() => {
    if (!host.current || width === 0) return
    const axis = { stroke: palette.quiet, font: FONT, labelFont: FONT, grid: { stroke: palette.grid, width: 1 }, ticks: { show: false } }
    const chart = new uPlot(
      {
        width,
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        padding: [10, 24, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 8 }, drag: { x: true, y: false, uni: 12 } },
        scales: { y: { range: (_, low, high) => yRange(latest.current.lines, low, high, zero) } },
        axes: [
          { ...axis, label: 'partition start (event time, UTC)', labelSize: 20, size: 46, space: 64, values: TIME_TICKS },
          { ...axis, label: yLabel, labelSize: 22, size: 62, values: (_, values) => values.map((value) => latest.current.format(value)) },
        ],
        series: [
          {},
          ...latest.current.lines.map((line): uPlot.Series => ({
            label: line.label,
            stroke: line.colour,
            width: line.look === 'line' ? 2 : 0,
            ...(line.dash ? { dash: line.dash } : {}),
            spanGaps: true,
            ...(line.look === 'points' ? { paths: () => null } : {}),
            points: { show: line.look === 'points' || times.length <= 24, size: line.look === 'points' ? 6 : 5, fill: line.colour, stroke: line.colour },
          })),
        ],
        hooks: {
          drawAxes: [(self) => {
            drawBands(self, latest.current.lines, (colour) => fade(colour, 0.16))
            drawBars(self, latest.current.lines, palette.quiet, zero)
          }],
          setCursor: [(self) => setCursor((known) => moved(known, under(self)))],
        },
      },
      [latest.current.times, ...latest.current.lines.map((line) => line.values)],
      host.current,
    )
    plot.current = chart
    return () => {
      plot.current = null
      chart.destroy()
    }
    // Data alone is replaced in place, so that zoom and cursor survive a live refresh.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [width, height, palette, looks, yLabel, zero])

  const keys = (event: KeyboardEvent) => {
    const chart = plot.current
    if (!chart) return
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key]
    if (step === undefined) {
      if (event.key === 'Escape') chart.setCursor({ left: -10, top: -10 })
      return
    }
    event.preventDefault()
    const at = Math.max(0, Math.min(times.length - 1, (cursor?.at ?? (step > 0 ? -1 : times.length)) + step))
    chart.setCursor({ left: chart.valToPos(times[at] ?? 0, 'x'), top: 10 })
  }
  return (
    <div ref={box}>
      <Legend lines={lines} />
      <div role="application" aria-roledescription="chart" tabIndex={0} aria-label={`${label}. Arrow keys move through ${times.length} points.`} onKeyDown={keys} onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })} style={{ position: 'relative', minHeight: height }}>
        <div ref={host} />
        {cursor ? <PlotTip left={cursor.left} width={width} name={names[cursor.at] ?? ''} at={cursor.at} lines={lines} format={format} /> : null}
      </div>
    </div>
  )
}

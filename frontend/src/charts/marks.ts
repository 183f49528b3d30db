/** Interval marks that uPlot does not bring: bands around lines, bars through points. Drawn below the series. */
import type uPlot from 'uplot'
import type { Line } from './TimeSeries'

/** Range of the y axis: figures and most of their intervals, zero where asked for, a little air. */
export function yRange(lines: Line[], low: number | null, high: number | null, zero: boolean): [number, number] {
  let from = low ?? 0
  let to = high ?? 1
  const reach = Math.max(to - from, 1e-9) * 1.2
  for (const line of lines) {
    for (const end of [...(line.low ?? []), ...(line.high ?? [])]) {
      if (end == null) continue
      from = Math.min(from, Math.max(end, (low ?? 0) - reach))
      to = Math.max(to, Math.min(end, (high ?? 1) + reach))
    }
  }
  if (zero) {
    from = Math.min(0, from)
    to = Math.max(0, to)
  }
  const pad = (to - from || Math.abs(to) || 1) * 0.06
  return [from - pad, to + pad]
}

export function drawBands(plot: uPlot, lines: Line[], tint: (colour: string) => string) {
  const pen = plot.ctx
  for (const line of lines) {
    if (line.look !== 'line' || !line.low || !line.high) continue
    const known = plot.data[0].map((_, at) => at).filter((at) => line.low?.[at] != null && line.high?.[at] != null)
    if (known.length < 2) continue
    const spot = (at: number, value: number | null | undefined) => [plot.valToPos(plot.data[0][at] ?? 0, 'x', true), plot.valToPos(value ?? 0, 'y', true)] as const
    pen.save()
    clip(plot)
    pen.beginPath()
    for (const at of known) pen.lineTo(...spot(at, line.high[at]))
    for (const at of known.toReversed()) pen.lineTo(...spot(at, line.low[at]))
    pen.closePath()
    pen.fillStyle = tint(line.colour)
    pen.fill()
    pen.restore()
  }
}

export function drawBars(plot: uPlot, lines: Line[], axis: string, zero: boolean) {
  const pen = plot.ctx
  pen.save()
  clip(plot)
  if (zero) {
    const y = plot.valToPos(0, 'y', true)
    pen.strokeStyle = axis
    pen.lineWidth = 1.5 * devicePixelRatio
    pen.beginPath()
    pen.moveTo(plot.bbox.left, y)
    pen.lineTo(plot.bbox.left + plot.bbox.width, y)
    pen.stroke()
  }
  for (const line of lines) {
    if (line.look !== 'points' || !line.low || !line.high) continue
    pen.strokeStyle = line.colour
    pen.globalAlpha = 0.55
    pen.lineWidth = 1.5 * devicePixelRatio
    plot.data[0].forEach((time, at) => {
      const low = line.low?.[at]
      const high = line.high?.[at]
      if (low == null || high == null) return
      const x = plot.valToPos(time, 'x', true)
      pen.beginPath()
      pen.moveTo(x, plot.valToPos(low, 'y', true))
      pen.lineTo(x, plot.valToPos(high, 'y', true))
      pen.stroke()
    })
  }
  pen.restore()
}

function clip(plot: uPlot) {
  plot.ctx.beginPath()
  plot.ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height)
  plot.ctx.clip()
}

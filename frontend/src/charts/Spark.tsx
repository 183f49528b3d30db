import { signed } from '../format/lift'
import { usePalette } from './palette'

const WIDTH = 92
const HEIGHT = 26

/** The course of a cumulative lift in a table cell, with the zero line; the figure beside it says the rest. */
export function Spark({ points }: { points: { t: string; lift: number | null }[] }) {
  const palette = usePalette()
  const values = points.map((point) => point.lift).filter((value) => value !== null)
  const last = values.at(-1)
  const first = values[0]
  if (first === undefined || last === undefined || values.length < 2) return null
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  const y = (value: number) => HEIGHT - 3 - ((value - low) / (high - low || 1)) * (HEIGHT - 6)
  const x = (at: number) => 2 + (at / (values.length - 1)) * (WIDTH - 7)
  const colour = last >= 0 ? palette.treatment : palette.loss
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={`cumulative lift from ${signed(first, 2)} to ${signed(last, 2)} % NE over ${values.length} partitions`} style={{ display: 'block' }}>
      <line x1={0} x2={WIDTH} y1={y(0)} y2={y(0)} stroke={palette.unclear} strokeWidth={1} strokeDasharray="2 3" />
      <polyline points={values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')} fill="none" stroke={colour} strokeWidth={1.6} strokeLinejoin="round" />
      <circle cx={x(values.length - 1)} cy={y(last)} r={2.6} fill={colour} />
    </svg>
  )
}

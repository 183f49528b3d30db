import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { CurvePoint } from '../../api/types'
import { ChartCard } from '../../charts/ChartCard'
import { usePalette } from '../../charts/palette'
import type { Table } from '../../charts/table'
import { TimeSeries } from '../../charts/TimeSeries'
import { signed } from '../../format/lift'
import { score } from '../../format/number'
import { interval } from '../../format/time'
import { Empty } from '../../states/States'
import { treatmentBand } from './band'

/** NE over time and lift by partition, side by side where there is room. */
export function Curves({ points, name }: { points: CurvePoint[]; name: string }) {
  if (points.length === 0) {
    return (
      <section className="panel">
        <Empty title="No partition trained yet" icon="models">NE and lift appear here partition by partition, as {name} predicts each one and then learns from it.</Empty>
      </section>
    )
  }
  return (
    <div className="grid">
      <NeChart points={points} />
      <LiftChart points={points} />
    </div>
  )
}

const times = (points: CurvePoint[]) => points.map((point) => Date.parse(point.start) / 1000)
const names = (points: CurvePoint[]) => points.map((point) => `${interval(point.start, point.end)} UTC · ${point.rows.toLocaleString('en')} rows`)

function NeChart({ points }: { points: CurvePoint[] }) {
  const palette = usePalette()
  const [view, setView] = useState('cumulative')
  const source = points.map((point) => (view === 'cumulative' ? point.cumulative : point))
  const band = treatmentBand(source)
  const table: Table = {
    columns: ['partition start (UTC)', 'rows', 'NE control', 'NE treatment', 'NE control, cumulative', 'NE treatment, cumulative'],
    rows: points.map((point) => [point.start, point.rows, point.ne_control, point.ne_treatment, point.cumulative.ne_control, point.cumulative.ne_treatment]),
  }
  return (
    <ChartCard className="w6" title="Normalized entropy over time (lower is better)" note="Band: paired 95 % interval of treatment." table={table} aside={
      <SegmentedControl size="xs" aria-label="NE shown" value={view} onChange={setView} data={[{ value: 'cumulative', label: 'So far' }, { value: 'each', label: 'Each' }]} />
    }>
      <TimeSeries
        label="Normalized entropy over time, control against treatment"
        times={times(points)}
        names={names(points)}
        yLabel="NE"
        format={(value) => score(value)}
        lines={[
          { label: 'Control (without FM)', colour: palette.control, look: 'line', dash: [7, 4], values: source.map((point) => point.ne_control) },
          { label: 'Treatment (with FM)', colour: palette.treatment, look: 'line', values: source.map((point) => point.ne_treatment), ...band },
        ]}
      />
    </ChartCard>
  )
}

function LiftChart({ points }: { points: CurvePoint[] }) {
  const palette = usePalette()
  const table: Table = {
    columns: ['partition start (UTC)', 'rows', 'covered rows', 'lift (% NE)', 'low', 'high', 'cumulative lift (% NE)', 'cumulative low', 'cumulative high', 'gate', 'snapshot'],
    rows: points.map(({ cumulative, ...point }) => [point.start, point.rows, point.covered, point.lift, point.low, point.high, cumulative.lift, cumulative.low, cumulative.high, point.gate, point.snapshot]),
  }
  return (
    <ChartCard className="w6" title="Lift by partition, % NE gain" note="Bars and band are 95 % intervals; the cumulative lift is the one to trust." table={table}>
      <TimeSeries
        label="Lift by partition with intervals, and cumulative lift"
        times={times(points)}
        names={names(points)}
        yLabel="NE gain, %"
        zero
        format={(value) => `${signed(value, 2)} %`}
        lines={[
          { label: 'Each partition', colour: palette.unclear, look: 'points', values: points.map((point) => point.lift), low: points.map((point) => point.low), high: points.map((point) => point.high) },
          { label: 'Cumulative', colour: palette.treatment, look: 'line', values: points.map((point) => point.cumulative.lift), low: points.map((point) => point.cumulative.low), high: points.map((point) => point.cumulative.high) },
        ]}
      />
    </ChartCard>
  )
}

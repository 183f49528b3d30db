import type { Run } from '../../api/types'
import { ChartCard } from '../../charts/ChartCard'
import { usePalette } from '../../charts/palette'
import { TimeSeries } from '../../charts/TimeSeries'
import { count, score } from '../../format/number'
import { minute } from '../../format/time'

/** NE of the committed partitions of this run; grows while it runs. */
export function RunChart({ run, className }: { run: Run; className: string }) {
  const palette = usePalette()
  const points = run.partitions
    .flatMap(({ start, ...rest }) => (start !== null && (rest.ne_control !== null || rest.ne_treatment !== null) ? [{ start, ...rest }] : []))
    .toSorted((a, b) => a.start.localeCompare(b.start))
  return (
    <ChartCard className={className} title="NE of each committed partition (lower is better)" note="Intervals are on the model’s page, from all its partitions." table={{
      columns: ['partition start (UTC)', 'rows', 'NE control', 'NE treatment'],
      rows: points.map((point) => [point.start, point.rows, point.ne_control, point.ne_treatment]),
    }}>
      <TimeSeries
        label="NE of each committed partition, control against treatment"
        height={240}
        times={points.map((point) => Date.parse(point.start) / 1000)}
        names={points.map((point) => `${minute(point.start)} UTC · ${count(point.rows)} rows`)}
        yLabel="NE"
        format={(value) => score(value)}
        lines={[
          { label: 'Control (without FM)', colour: palette.control, look: 'line', dash: [7, 4], values: points.map((point) => point.ne_control) },
          { label: 'Treatment (with FM)', colour: palette.treatment, look: 'line', values: points.map((point) => point.ne_treatment) },
        ]}
      />
    </ChartCard>
  )
}

import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'

export interface Line {
  label: string
  colour: string
  values: (number | null)[]
  /** Ends of the 95 % interval, drawn as a band (`line`) or as a bar per point (`points`). */
  low?: (number | null)[]
  high?: (number | null)[]
  look: 'line' | 'points'
  dash?: number[]
}

export interface TimeSeriesProps {
  /** What a screen reader announces. */
  label: string
  /** Seconds since 1970, ascending. */
  times: number[]
  /** What each point is called in the tooltip. */
  names: string[]
  lines: Line[]
  yLabel: string
  format: (value: number) => string
  height?: number
  zero?: boolean
}

const Plot = lazy(() => import('./Plot'))

/** A time series; the drawing library is loaded when the first one appears. */
export function TimeSeries(props: TimeSeriesProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 280} radius="md" />}>
      <Plot {...props} />
    </Suspense>
  )
}

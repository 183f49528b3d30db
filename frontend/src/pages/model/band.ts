/** The interval of a lift, carried over to the treatment's NE. */

export interface BandSource {
  ne_control: number | null
  lift: number | null
  low: number | null
  high: number | null
}

/** `NE_treatment = NE_control · (1 − lift/100)`; a higher lift is a lower NE, so the ends change places. */
export function treatmentBand(points: BandSource[]): { low: (number | null)[]; high: (number | null)[] } {
  const at = (control: number | null, lift: number | null) => (control === null || lift === null ? null : control * (1 - lift / 100))
  return { low: points.map((point) => at(point.ne_control, point.high)), high: points.map((point) => at(point.ne_control, point.low)) }
}

/** Axis arithmetic for the small SVG charts. */

/** About `wanted` round numbers covering `[low, high]`. */
export function ticks(low: number, high: number, wanted: number): number[] {
  const span = high - low
  if (!(span > 0)) return [low]
  const rough = span / Math.max(1, wanted)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const from = Math.ceil(low / step - 1e-9)
  const to = Math.floor(high / step + 1e-9)
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => Number(((from + at) * step).toPrecision(12)))
}

/** The axis of a forest plot: holds zero and every estimate; an interval far wider than the others is cut, not followed. */
export function forestDomain(rows: { value: number; low: number; high: number }[]): [number, number] {
  const halves = rows.map((row) => (row.high - row.low) / 2).sort((a, b) => a - b)
  const usual = halves[Math.floor(halves.length / 2)] ?? 0.5
  const reach = Math.max(usual * 4, 1e-6)
  const low = Math.min(0, ...rows.map((row) => Math.max(row.low, row.value - reach)))
  const high = Math.max(0, ...rows.map((row) => Math.min(row.high, row.value + reach)))
  const pad = (high - low || 1) * 0.06
  return [low - pad, high + pad]
}

/** The first and last of an ordered list, half each, where it is longer than `most`. */
export function ends<T>(ordered: T[], most: number): T[] {
  return ordered.length <= most ? ordered : [...ordered.slice(0, most / 2), ...ordered.slice(-most / 2)]
}

/** A text that fits into `room` pixels at about `each` pixels a character; what is cut off shows as `…`. */
export function fitted(text: string, room: number, each: number): string {
  const most = Math.max(1, Math.floor(room / each))
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

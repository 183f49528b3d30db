/** Lift (NE gain of treatment over control, in per cent) is never shown without sign, unit and 95 % interval. */
import { NONE } from './number'

export interface Interval {
  value: number | null
  low: number | null
  high: number | null
}

export type Verdict = 'gain' | 'loss' | 'unclear' | 'none'

/** Says whether the 95 % interval lies above zero, below it, or across. */
export function verdict({ value, low, high }: Interval): Verdict {
  if (value == null || low == null || high == null) return 'none'
  return low > 0 ? 'gain' : high < 0 ? 'loss' : 'unclear'
}

export const VERDICT_WORDS: Record<Verdict, string> = {
  gain: 'clear gain',
  loss: 'clear loss',
  unclear: 'no clear effect yet',
  none: 'not measured yet',
}

/** A signed number with a true minus sign: `+0.84`, `−1.20`, `0.00`. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits)
  return Number(text) === 0 ? text : `${value > 0 ? '+' : '−'}${text}`
}

/** Enough digits that the interval's half-width keeps two significant ones, between two and four. */
function digitsFor(half: number): number {
  return half > 0 && half < 0.095 ? Math.min(4, 1 - Math.floor(Math.log10(half))) : 2
}

export interface LiftText {
  /** `+0.84 % NE` */
  figure: string
  /** `± 0.12` */
  spread: string
  /** Both, or `–`. */
  full: string
  /** `95 % interval +0.72 … +0.96 % NE` */
  range: string
}

/** The pieces of `+0.84 % NE ± 0.12`; the half-width is half of the interval, whose exact ends are in `range`. */
export function liftText(lift: Interval): LiftText {
  const { value, low, high } = lift
  if (value == null) return { figure: NONE, spread: '', full: NONE, range: '' }
  if (low == null || high == null) {
    const figure = `${signed(value, 2)} % NE`
    return { figure, spread: '± ?', full: `${figure} ± ?`, range: 'no interval yet: too few users' }
  }
  const half = (high - low) / 2
  const digits = digitsFor(half)
  const figure = `${signed(value, digits)} % NE`
  const spread = `± ${half.toFixed(digits)}`
  return {
    figure,
    spread,
    full: `${figure} ${spread}`,
    range: `95 % interval ${signed(low, digits)} … ${signed(high, digits)} % NE`,
  }
}

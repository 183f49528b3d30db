/** Plain numbers as people read them. English grouping everywhere, so that figures in screenshots and exports agree. */

/** What an absent figure shows; the reason belongs beside it. */
export const NONE = '–'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** `1234567` → `1,234,567`. */
export function count(value: number | null | undefined): string {
  return value == null ? NONE : whole.format(value)
}

/** `1234567` → `1.23M`, for tight places; the exact figure goes into the hover text. */
export function compact(value: number | null | undefined): string {
  return value == null ? NONE : short.format(value)
}

/** A share in [0, 1] as per cent: `0.9312` → `93.1 %`. */
export function share(value: number | null | undefined, digits = 1): string {
  if (value == null) return NONE
  const percent = value * 100
  const least = 10 ** -digits
  if (percent > 0 && percent < least / 2) return `under ${least.toFixed(digits)} %`
  return `${percent === 100 || percent === 0 ? percent.toFixed(0) : percent.toFixed(digits)} %`
}

/** Normalized entropy, AUC and other unit-less scores. */
export function score(value: number | null | undefined, digits = 4): string {
  return value == null ? NONE : value.toFixed(digits).replace('-', '−')
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes in powers of 1000: `1536000` → `1.54 MB`. */
export function bytes(value: number | null | undefined): string {
  if (value == null) return NONE
  let rest = value
  let unit = 0
  while (rest >= 1000 && unit < UNITS.length - 1) {
    rest /= 1000
    unit += 1
  }
  return `${unit === 0 ? rest.toFixed(0) : Number(rest.toPrecision(3)).toString()} ${UNITS[unit] ?? 'B'}`
}

/** `1 model`, `3 models`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

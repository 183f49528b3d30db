/** Money. The API sends decimal strings; they are shown without passing through binary fractions where the browser allows. */
import { NONE } from './number'

/** Sum or compare only for display (progress bars, sorting); never for accounting. */
export function amount(value: string | null | undefined): number {
  return value == null || value === '' ? 0 : Number(value)
}

/** `("1234.5", "USD")` → `$1,234.50`; below one unit the first two digits that matter stay: `$0.0012`. */
export function money(value: string | null | undefined, currency: string): string {
  if (value == null || value === '') return NONE
  const size = Math.abs(Number(value))
  if (!Number.isFinite(size)) return NONE
  const digits = size === 0 || size >= 0.1 ? 2 : Math.min(6, 1 - Math.floor(Math.log10(size)))
  try {
    const format = new Intl.NumberFormat('en', {
      style: 'currency',
      currency,
      minimumFractionDigits: 2,
      maximumFractionDigits: digits,
    })
    return format.format(Number(value)).replace('-', '−')
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return `${Number(value).toFixed(digits)} ${currency}`
  }
}

/** `3` of `10` as a number for a bar, kept inside 0…100. */
export function percentOf(part: number, whole: number): number {
  return whole > 0 ? Math.max(0, Math.min(100, (part / whole) * 100)) : 0
}

/** Money. The API sends decimal strings; they are shown without passing through binary fractions where the browser allows. */
import { NONE } from './number'

/** Sum or compare only for display (progress bars, sorting); never for accounting. */
export function amount(value: string | null | undefined): number {
  return value == null || value === '' ? 0 : Number(value)
}

/** Cents from ten cents up; four decimals from a tenth of a cent; six below, the ledger's own precision. */
const digitsOf = (size: number) => (size === 0 || size >= 0.1 ? 2 : size >= 0.001 ? 4 : 6)

/** `("1234.5", "USD")` → `$1,234.50`; small sums keep the digits that matter: `$0.0012`. */
export function money(value: string | null | undefined, currency: string): string {
  if (value == null || value === '') return NONE
  const size = Math.abs(Number(value))
  if (!Number.isFinite(size)) return NONE
  const digits = digitsOf(size)
  try {
    const format = new Intl.NumberFormat('en', {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
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

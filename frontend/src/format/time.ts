/** Times: relative in the text, absolute (UTC) on hover. Event times of data are always absolute. */
import { NONE } from './number'

const pad = (n: number) => n.toString().padStart(2, '0')

/** `2026-11-21 01:30:05 UTC`. */
export function absolute(iso: string | null | undefined): string {
  if (!iso) return NONE
  const t = new Date(iso)
  return `${day(iso)} ${pad(t.getUTCHours())}:${pad(t.getUTCMinutes())}:${pad(t.getUTCSeconds())} UTC`
}

/** `2026-11-21`. */
export function day(iso: string): string {
  const t = new Date(iso)
  return `${t.getUTCFullYear()}-${pad(t.getUTCMonth() + 1)}-${pad(t.getUTCDate())}`
}

/** `2026-11-21 01:30`, for event times in tables and tooltips. */
export function minute(iso: string | null | undefined): string {
  if (!iso) return NONE
  const t = new Date(iso)
  return `${day(iso)} ${pad(t.getUTCHours())}:${pad(t.getUTCMinutes())}`
}

/** A half-open interval `[start, end)`; the day is not repeated when both lie in it. */
export function interval(start: string, end: string): string {
  const to = minute(end)
  return day(start) === day(end) ? `${minute(start)} – ${to.slice(11)}` : `${minute(start)} – ${to}`
}

/** Seconds as the two largest units: `3675` → `1 h 01 min`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return NONE
  const s = Math.max(0, seconds)
  if (s > 0 && s < 1) return `${Math.round(s * 1000)} ms`
  if (s < 60) return `${s < 10 ? Number(s.toFixed(1)) : Math.round(s)} s`
  const whole = Math.round(s)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`
}

/** `3 min ago`, `in 2 h`, `just now`. */
export function relative(iso: string | null | undefined, now: number): string {
  if (!iso) return NONE
  const gap = (now - new Date(iso).getTime()) / 1000
  const size = Math.abs(gap)
  if (size < 5) return 'just now'
  const [n, unit] = size < 60 ? [size, 's'] : size < 3600 ? [size / 60, 'min'] : size < 86400 ? [size / 3600, 'h'] : [size / 86400, 'd']
  const text = `${Math.floor(n)} ${unit}`
  return gap > 0 ? `${text} ago` : `in ${text}`
}

/** Seconds between two instants, or until `now` while the second is open. */
export function elapsed(from: string | null | undefined, to: string | null | undefined, now: number): number | null {
  if (!from) return null
  return ((to ? new Date(to).getTime() : now) - new Date(from).getTime()) / 1000
}

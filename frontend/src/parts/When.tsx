import { Tooltip } from '@mantine/core'
import { useSyncExternalStore } from 'react'
import { NONE } from '../format/number'
import { absolute, relative } from '../format/time'

const TICK_MS = 5_000
let now = Date.now()
const readers = new Set<() => void>()
let timer: number | undefined

function subscribe(read: () => void) {
  readers.add(read)
  timer ??= window.setInterval(() => {
    now = Date.now()
    readers.forEach((each) => each())
  }, TICK_MS)
  return () => {
    readers.delete(read)
    if (readers.size === 0) {
      window.clearInterval(timer)
      timer = undefined
    }
  }
}

/** One shared clock for all relative times on a page, in milliseconds since 1970. */
export const useNow = () => useSyncExternalStore(subscribe, () => now)

/** "3 min ago", with the absolute time on hover and for machines. */
export function When({ at }: { at: string | null | undefined }) {
  const clock = useNow()
  if (!at) return <span className="quiet">{NONE}</span>
  return (
    <Tooltip label={absolute(at)}>
      <time dateTime={at} className="num">{relative(at, clock)}</time>
    </Tooltip>
  )
}

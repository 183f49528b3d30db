import { Affix, Notification } from '@mantine/core'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'

const SHOWN_MS = 10_000

const Say = createContext<(text: string) => void>(() => undefined)

/** Tells what was done, at the foot of the window and to screen readers; for what is gone from the page by then. */
export const useSay = () => useContext(Say)

/** The place where a page says what was done. The focus goes to the page's start: what had it is gone. */
export function Said({ children }: { children: ReactNode }) {
  const [said, say] = useState('')
  useEffect(() => {
    if (!said) return undefined
    document.getElementById('content')?.focus({ preventScroll: true })
    const timer = window.setTimeout(() => say(''), SHOWN_MS)
    return () => window.clearTimeout(timer)
  }, [said])
  return (
    <Say value={say}>
      {children}
      <Affix position={{ bottom: 16, left: 16, right: 16 }} style={{ pointerEvents: 'none' }}>
        <div role="status" aria-live="polite" style={{ display: 'flex', justifyContent: 'flex-end' }}>
          {said ? <Notification withBorder color="teal" onClose={() => say('')} closeButtonProps={{ 'aria-label': 'Dismiss' }} style={{ pointerEvents: 'auto', overflowWrap: 'anywhere' }}>{said}</Notification> : null}
        </div>
      </Affix>
    </Say>
  )
}

import { ScrollArea } from '@mantine/core'
import type { ReactNode } from 'react'

interface ScrollProps {
  /** Names the region for those who reach it by keyboard. */
  label: string
  /** Height beyond which it scrolls; without it only sideways. */
  tall?: number
  className?: string
  children: ReactNode
}

/** Lets wide or long content scroll inside its panel, by keyboard too. */
export function Scroll({ label, tall, className, children }: ScrollProps) {
  return (
    <ScrollArea.Autosize type="auto" offsetScrollbars="present" {...(tall ? { mah: tall } : {})} className={className ?? ''} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': label }}>
      {children}
    </ScrollArea.Autosize>
  )
}

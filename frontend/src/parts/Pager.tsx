import { Button, Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { cursorOf } from '../api/pages'

interface PagerProps {
  page: { next: string | null; previous: string | null }
  onTurn: (cursor: string | undefined) => void
  /** What this page covers. */
  children?: ReactNode
}

/** Newer and older pages of a list; absent where one page holds all. */
export function Pager({ page, onTurn, children }: PagerProps) {
  const { next, previous } = page
  if (next === null && previous === null) return null
  return (
    <Group justify="space-between" wrap="nowrap" mt="sm">
      <Button size="compact-sm" variant="default" disabled={previous === null} onClick={() => { if (previous) onTurn(cursorOf(previous)) }}>Newer</Button>
      <Text size="sm" className="quiet num" ta="center" style={{ whiteSpace: 'normal' }}>{children}</Text>
      <Button size="compact-sm" variant="default" disabled={next === null} onClick={() => { if (next) onTurn(cursorOf(next)) }}>Older</Button>
    </Group>
  )
}

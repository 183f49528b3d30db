import { Button, Group } from '@mantine/core'

/** The cursor in a page address such as `/api/v1/…?cursor=abc`; nothing for the first page. */
function cursorOf(address: string): string | undefined {
  return new URL(address, window.location.origin).searchParams.get('cursor') ?? undefined
}

interface PagerProps {
  page: { next: string | null; previous: string | null }
  onTurn: (cursor: string | undefined) => void
}

/** Newer and older pages of a list; absent where one page holds all. */
export function Pager({ page, onTurn }: PagerProps) {
  const { next, previous } = page
  if (next === null && previous === null) return null
  return (
    <Group justify="space-between" mt="sm">
      <Button size="compact-sm" variant="default" disabled={previous === null} onClick={() => { if (previous) onTurn(cursorOf(previous)) }}>Newer</Button>
      <Button size="compact-sm" variant="default" disabled={next === null} onClick={() => { if (next) onTurn(cursorOf(next)) }}>Older</Button>
    </Group>
  )
}

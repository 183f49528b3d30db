import { Group, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'

/** A page's one heading; also names the browser tab. */
export function PageHead({ title, tab, sub, aside }: { title: ReactNode; tab: string; sub?: ReactNode; aside?: ReactNode }) {
  useEffect(() => {
    document.title = `${tab} · ExFM`
  }, [tab])
  return (
    <Group justify="space-between" align="flex-start" mb="md" gap="sm">
      <div style={{ minWidth: 0 }}>
        <Title order={1} style={{ overflowWrap: 'anywhere' }}>{title}</Title>
        {sub ? <Text component="div" className="quiet">{sub}</Text> : null}
      </div>
      {aside ? <Group gap="xs">{aside}</Group> : null}
    </Group>
  )
}

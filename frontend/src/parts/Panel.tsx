import { Box, Group, Text, Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'

interface PanelProps {
  title: ReactNode
  /** One quiet sentence below the title: unit, scope, how to read it. */
  note?: ReactNode
  /** Controls at the right of the title. */
  aside?: ReactNode
  className?: string
  children: ReactNode
}

/** A titled region of a page. */
export function Panel({ title, note, aside, className = '', children }: PanelProps) {
  const id = useId()
  return (
    <Box component="section" aria-labelledby={id} className={`panel ${className}`} p="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap" mb="sm" gap="xs">
        <div style={{ minWidth: 0 }}>
          <Title order={2} id={id}>{title}</Title>
          {note ? <Text size="sm" className="quiet">{note}</Text> : null}
        </div>
        {aside ? <div style={{ flexShrink: 0 }}>{aside}</div> : null}
      </Group>
      {children}
    </Box>
  )
}

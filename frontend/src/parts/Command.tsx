import { Group } from '@mantine/core'
import { Copy } from './Copy'

/** A text to copy; long ones scroll within. */
export function Command({ children, label = 'command' }: { children: string; label?: string }) {
  return (
    <Group wrap="nowrap" align="flex-start" gap="xs" className="well">
      <pre className="log" tabIndex={0} aria-label={label} style={{ flex: 1, minWidth: 0 }}>{children}</pre>
      <Copy text={children} label={label} />
    </Group>
  )
}

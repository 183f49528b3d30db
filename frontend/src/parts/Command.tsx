import { ActionIcon, CopyButton, Group, Tooltip } from '@mantine/core'
import { Icon } from './icons'

/** A command to copy; wraps on a phone, scrolls for nobody. */
export function Command({ children, label = 'command' }: { children: string; label?: string }) {
  return (
    <Group wrap="nowrap" align="flex-start" gap="xs" className="log" style={{ textAlign: 'left' }}>
      <code style={{ flex: 1, minWidth: 0 }}>{children}</code>
      <CopyButton value={children}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : `Copy the ${label}`}>
            <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={copied ? 'Copied' : `Copy the ${label}`}>
              <Icon name={copied ? 'check' : 'copy'} size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  )
}

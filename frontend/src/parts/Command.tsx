import { ActionIcon, CopyButton, Group, Tooltip } from '@mantine/core'
import { Icon } from './icons'

/** A text to copy; long ones scroll within. */
export function Command({ children, label = 'command' }: { children: string; label?: string }) {
  return (
    <Group wrap="nowrap" align="flex-start" gap="xs" className="well">
      <pre className="log" tabIndex={0} aria-label={label} style={{ flex: 1, minWidth: 0 }}>{children}</pre>
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

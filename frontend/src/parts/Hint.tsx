import { ActionIcon, Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import { Icon } from './icons'

/** A small "what is this?" that opens on hover, focus and touch. */
export function Hint({ about, children }: { about: string; children: ReactNode }) {
  return (
    <Tooltip label={children}>
      <ActionIcon variant="subtle" color="gray" size={24} radius="xl" aria-label={`About ${about}`} className="quiet">
        <Icon name="info" size={15} />
      </ActionIcon>
    </Tooltip>
  )
}

import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Problem } from '../api/problem'

interface ConfirmProps {
  title: string
  /** What the button does, as a verb. */
  verb: string
  opened: boolean
  busy: boolean
  error: Error | null
  onClose: () => void
  onConfirm: () => void
  disabled?: boolean
  /** False for what takes nothing away. */
  danger?: boolean
  children: ReactNode
}

/** Asks once more before something that cannot be undone from this page. */
export function Confirm({ title, verb, opened, busy, error, onClose, onConfirm, disabled = false, danger = true, children }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered>
      <Stack>
        {error ? <Alert color="red" variant="light" role="alert">{error.message} {error instanceof Problem ? error.mend : ''}</Alert> : null}
        <Text component="div" size="sm">{children}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{danger ? 'Keep it' : 'Cancel'}</Button>
          <Button {...(danger ? { color: 'red.9' } : {})} loading={busy} disabled={disabled} onClick={onConfirm}>{verb}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

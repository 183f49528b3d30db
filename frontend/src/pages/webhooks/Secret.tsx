import { Button, Group, Stack, Text } from '@mantine/core'
import { Command } from '../../parts/Command'

/** A secret that is shown this one time. */
export function Secret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <Stack>
      <Text size="sm">With it the receiver checks that a delivery comes from here. It is shown this one time.</Text>
      <Command label="secret">{secret}</Command>
      <Group justify="flex-end"><Button onClick={onDone}>I have copied it</Button></Group>
    </Stack>
  )
}

import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { sessionQuery } from '../../api/queries'
import type { Foundation } from '../../api/types'
import { Command } from '../../parts/Command'

/** For platform administrators: takes the published snapshot back. Their API is a process apart, which this page may not
 * call; so the step is a command, with the reason that the audit log keeps. */
export function TakeBack({ data }: { data: Foundation }) {
  const me = useQuery(sessionQuery).data
  const [opened, { open, close }] = useDisclosure()
  const [reason, setReason] = useState('')
  if (!me?.user.is_platform_admin || !data.id || !data.snapshot) return null
  const body = JSON.stringify({ reason: reason.trim() }).replaceAll("'", "'\\''")
  const command = [
    `curl -X POST ${me.admin_origin}/api/v1/admin/foundation-models/${data.id}/rollback \\`,
    '  -H "Authorization: Bearer $EXFM_ADMIN_TOKEN" -H "Content-Type: application/json" \\',
    `  -d '${body}'`,
  ].join('\n')
  return (
    <>
      <Group justify="flex-end"><Button size="compact-sm" variant="default" onClick={open}>Take the snapshot back…</Button></Group>
      <Modal opened={opened} onClose={close} title="Take the published snapshot back" centered size="lg">
        <Stack>
          <Text size="sm">It labels nothing more, for any tenant; the snapshot published before it labels again. What models learned from its labels is not unlearned.</Text>
          <TextInput label="Reason" description="Kept in the audit log" required maxLength={500} data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          {reason.trim() ? <Command>{command}</Command> : <Text size="sm" className="quiet">Say why; the command appears here.</Text>}
        </Stack>
      </Modal>
    </>
  )
}

import { Alert, Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { EVENTS } from './events'
import { type EventType, webhooksChanged } from './queries'
import { Secret } from './Secret'

const USUAL: EventType[] = ['run.failed', 'partition.rejected', 'budget.threshold']

/** Makes a webhook; its secret is shown this one time. */
export function NewWebhook({ tenant }: { tenant: string }) {
  const mayOperate = useMay('webhooks:write')
  const [opened, { open, close }] = useDisclosure()
  const [url, setUrl] = useState('')
  const [description, setDescription] = useState('')
  const [types, setTypes] = useState<EventType[]>(USUAL)
  const make = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/webhooks', { params: { path: { tenant } }, body: { url: url.trim(), description, event_types: types } })),
    onSuccess: () => webhooksChanged(tenant),
  })
  const done = () => {
    close()
    make.reset()
    setUrl('')
    setDescription('')
    setTypes(USUAL)
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  if (!mayOperate) return null
  return (
    <>
      <Button size="compact-sm" leftSection={<Icon name="plus" size={14} />} onClick={open}>New webhook</Button>
      <Modal opened={opened} onClose={done} title={make.data ? 'Copy the secret now' : 'New webhook'} centered>
        {make.data ? <Secret secret={make.data.secret ?? ''} onDone={done} /> : (
          <form onSubmit={submit}>
            <Stack>
              {make.error ? <Alert color="red" variant="light" role="alert">{make.error.message}</Alert> : null}
              <TextInput label="Address" description="https:// and reachable from the internet" placeholder="https://hooks.example.com/exfm" required maxLength={2000} data-autofocus value={url} onChange={(event) => setUrl(event.currentTarget.value)} />
              <TextInput label="Description" description="Which program listens there" maxLength={200} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
              <Checkbox.Group label="Tell it of" value={types} onChange={setTypes}>
                <Stack gap={6} mt="xs">
                  {EVENTS.map(([type, meaning]) => <Checkbox key={type} value={type} label={<Text span ff="monospace" size="sm">{type}</Text>} description={meaning} />)}
                </Stack>
              </Checkbox.Group>
              <Group justify="flex-end"><Button type="submit" loading={make.isPending} disabled={!url.trim() || types.length === 0}>Make the webhook</Button></Group>
            </Stack>
          </form>
        )}
      </Modal>
    </>
  )
}

import { Alert, Button, Code, Group, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { useMay } from '../../parts/context'
import { dataChanged, importRootsQuery } from './queries'

/** Imports a partition from an address; absent where no operator allows any. */
export function ImportButton({ tenant, stream }: { tenant: string; stream: string }) {
  const mayWrite = useMay('streams:write')
  const roots = useQuery(importRootsQuery(tenant)).data?.roots ?? []
  const [opened, { open, close }] = useDisclosure()
  if (!mayWrite || roots.length === 0) return null
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={open}>Import by address</Button>
      <Modal opened={opened} onClose={close} title="Import a partition" centered size="lg"><ImportForm tenant={tenant} stream={stream} roots={roots} onDone={close} /></Modal>
    </>
  )
}

const moment = (local: string) => `${local}:00Z`

function ImportForm({ tenant, stream, roots, onDone }: { tenant: string; stream: string; roots: string[]; onDone: () => void }) {
  const [uri, setUri] = useState(roots[0] ?? '')
  const [start, setStart] = useState('')
  const [end, setEnd] = useState('')
  const [sha256, setSha256] = useState('')
  const [size, setSize] = useState<number | string>('')
  const send = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/streams/{stream_id}/imports', {
      params: { path: { tenant, stream_id: stream } },
      body: { partitions: [{ uri: uri.trim(), start: moment(start), end: moment(end), sha256: sha256.trim(), bytes: Number(size) }] },
    })),
    onSuccess: onDone,
    onSettled: () => dataChanged(tenant),
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    send.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {send.error ? <Alert color="red" variant="light" role="alert">{send.error.message} {send.error instanceof Problem ? send.error.mend : ''}</Alert> : null}
        <Text size="sm">A worker fetches the file and checks it. Files may lie below {roots.map((root) => <Code key={root}>{root}</Code>)}.</Text>
        <TextInput label="Address" required maxLength={1000} data-autofocus value={uri} onChange={(event) => setUri(event.currentTarget.value)} />
        <Group grow>
          <TextInput label="Start (UTC)" type="datetime-local" required value={start} onChange={(event) => setStart(event.currentTarget.value)} />
          <TextInput label="End (UTC), not in it" type="datetime-local" required value={end} onChange={(event) => setEnd(event.currentTarget.value)} />
        </Group>
        <TextInput label="SHA-256" description="What sha256sum FILE prints" required minLength={64} maxLength={64} value={sha256} onChange={(event) => setSha256(event.currentTarget.value)} />
        <NumberInput label="Bytes" required min={1} value={size} onChange={setSize} />
        <Group justify="flex-end"><Button type="submit" loading={send.isPending}>Import</Button></Group>
      </Stack>
    </form>
  )
}

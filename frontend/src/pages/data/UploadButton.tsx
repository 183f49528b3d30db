import { Alert, Button, FileInput, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { Problem } from '../../api/problem'
import { useMay } from '../../parts/context'
import { intervalIn } from './intervals'
import { upload } from './uploads'

/** Uploads a partition from a file of the visitor's. */
export function UploadButton({ tenant, stream }: { tenant: string; stream: string }) {
  const mayWrite = useMay('streams:write')
  const [opened, { open, close }] = useDisclosure()
  if (!mayWrite) return null
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={open}>Upload a file</Button>
      <Modal opened={opened} onClose={close} title="Upload a partition" centered size="lg"><UploadForm tenant={tenant} stream={stream} onDone={close} /></Modal>
    </>
  )
}

function UploadForm({ tenant, stream, onDone }: { tenant: string; stream: string; onDone: () => void }) {
  const [file, setFile] = useState<File | null>(null)
  const [start, setStart] = useState('')
  const [end, setEnd] = useState('')
  const send = useMutation({ mutationFn: (chosen: File) => upload(tenant, stream, { file: chosen, start, end }), onSuccess: onDone })
  const choose = (chosen: File | null) => {
    const named = chosen ? intervalIn(chosen.name) : null
    send.reset()
    setFile(chosen)
    if (named) {
      setStart(named.start)
      setEnd(named.end)
    }
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    if (file) send.mutate(file)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {send.error ? <Alert color="red" variant="light" role="alert">{send.error.message} {send.error instanceof Problem ? send.error.mend : ''}</Alert> : null}
        <Text size="sm">A Parquet file with the columns of the schema and no others, its rows in [start, end) and in time order. A worker checks it against the schema, then seals it; the list says by column and row what is wrong with one.</Text>
        <FileInput label="Parquet file" required accept=".parquet" placeholder="Choose a file" value={file} onChange={choose} />
        <Group grow>
          <TextInput label="Start (UTC)" type="datetime-local" step={1} required value={start} onChange={(event) => setStart(event.currentTarget.value)} />
          <TextInput label="End (UTC), not in it" type="datetime-local" step={1} required value={end} onChange={(event) => setEnd(event.currentTarget.value)} />
        </Group>
        <Text size="sm" className="quiet">Read from a name like ads-20260101T000000Z-20260101T010000Z.parquet. For many files use <code>exfm streams push</code>.</Text>
        <Group justify="flex-end"><Button type="submit" loading={send.isPending} disabled={!file}>Upload</Button></Group>
      </Stack>
    </form>
  )
}

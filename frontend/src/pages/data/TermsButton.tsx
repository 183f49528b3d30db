import { Alert, Button, Group, Modal, NumberInput, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { Stream } from '../../api/types'
import { useMay } from '../../parts/context'
import { Consents } from './Consents'
import { dataChanged } from './queries'

const LONGEST_SECONDS = 30 * 86_400

/** Changes what the team decided about a stream; somebody else's change in between is not overwritten. */
export function TermsButton({ tenant, stream }: { tenant: string; stream: Stream }) {
  const mayWrite = useMay('streams:write')
  const [opened, { open, close }] = useDisclosure()
  if (!mayWrite) return null
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={open}>Change consents</Button>
      <Modal opened={opened} onClose={close} title={`Terms of ${stream.name}`} centered>
        <TermsForm tenant={tenant} stream={stream} onDone={close} />
      </Modal>
    </>
  )
}

function TermsForm({ tenant, stream, onDone }: { tenant: string; stream: Stream; onDone: () => void }) {
  const [terms, setTerms] = useState({ feed_fm: stream.feed_fm, feed_shared: stream.feed_shared })
  const [deadline, setDeadline] = useState(stream.label_deadline_seconds)
  const withdraws = (stream.feed_fm && !terms.feed_fm) || (stream.feed_shared && !terms.feed_shared)
  const change = useMutation({
    mutationFn: async () => {
      const path = { tenant, stream_id: stream.id }
      const { data, response } = await api.GET('/api/v1/tenants/{tenant}/streams/{stream_id}', { params: { path } })
      if (data && (data.feed_fm !== stream.feed_fm || data.feed_shared !== stream.feed_shared || data.label_deadline_seconds !== stream.label_deadline_seconds)) {
        throw new Problem(412, { code: 'changed_meanwhile', detail: 'Somebody changed these terms since this page was read.', mend: 'Close this and look again.' })
      }
      const tag = response.headers.get('ETag')
      await api.PATCH('/api/v1/tenants/{tenant}/streams/{stream_id}', { params: { path, header: tag ? { 'If-Match': tag } : {} }, body: { ...terms, label_deadline_seconds: deadline } })
    },
    onSuccess: onDone,
    onSettled: () => dataChanged(tenant),
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    change.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {change.error ? <Alert color="red" variant="light" role="alert">{change.error.message} {change.error instanceof Problem ? change.error.mend : ''}</Alert> : null}
        <Consents terms={terms} onChange={setTerms} />
        {withdraws ? <Alert color="orange" variant="light" title="What withdrawing means" role="status">From now on nothing more is learned from this stream there. What was learned already is not unlearned: weights that trained on it stay as they are, and go on teaching.</Alert> : null}
        <NumberInput label="Label deadline, seconds" description="How long training waits for the foundation model’s labels of a partition before it goes on without them" min={0} max={LONGEST_SECONDS} value={deadline} onChange={(value) => setDeadline(Number(value) || 0)} />
        <Group justify="flex-end"><Button type="submit" color={withdraws ? 'red.9' : undefined} loading={change.isPending}>{withdraws ? 'Withdraw and save' : 'Save'}</Button></Group>
      </Stack>
    </form>
  )
}

import { Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useMay } from '../../../parts/context'
import { Icon } from '../../../parts/icons'
import { Loading } from '../../../states/States'
import { propose } from '../queries'
import { SampleDrop } from './SampleDrop'

const SchemaForm = lazy(async () => ({ default: (await import('./SchemaForm')).SchemaForm }))

/** Makes a stream from a sample file: drop it, read what the platform makes of it, change that, register. */
export function NewStream({ tenant }: { tenant: string }) {
  const mayWrite = useMay('streams:write')
  const [opened, { open, close }] = useDisclosure()
  const ask = useMutation({ mutationFn: (file: File) => propose(tenant, file) })
  const done = () => {
    close()
    ask.reset()
  }
  if (!mayWrite) return null
  return (
    <>
      <Button size="compact-sm" leftSection={<Icon name="plus" size={14} />} onClick={open}>New stream</Button>
      <Modal opened={opened} onClose={done} title={ask.data ? 'Read the proposed schema' : 'New stream'} size={ask.data ? 'min(1180px, 96vw)' : 'lg'} centered>
        {ask.data ? (
          <Suspense fallback={<Loading />}><SchemaForm tenant={tenant} proposal={ask.data} onAgain={() => ask.reset()} onDone={done} /></Suspense>
        ) : <SampleDrop busy={ask.isPending} error={ask.error} onFile={(file) => ask.mutate(file)} />}
      </Modal>
    </>
  )
}

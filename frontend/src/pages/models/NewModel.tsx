import { Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { lazy, Suspense } from 'react'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { Loading } from '../../states/States'

const ModelForm = lazy(async () => ({ default: (await import('./ModelForm')).ModelForm }))

/** Registers a model; the form is loaded when it is asked for. */
export function NewModel({ tenant }: { tenant: string }) {
  const mayWrite = useMay('models:write')
  const [opened, { open, close }] = useDisclosure()
  if (!mayWrite) return null
  return (
    <>
      <Button size="compact-sm" leftSection={<Icon name="plus" size={14} />} onClick={open}>Register a model</Button>
      <Modal opened={opened} onClose={close} title="Register a model" size="xl" centered><Suspense fallback={<Loading />}><ModelForm tenant={tenant} onDone={close} /></Suspense></Modal>
    </>
  )
}

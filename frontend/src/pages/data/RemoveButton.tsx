import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Confirm } from '../../parts/Confirm'
import { useMay } from '../../parts/context'
import { useSay } from '../../parts/Said'
import { InUse } from './InUse'
import { usesIn } from './removal'

interface RemoveButtonProps {
  tenant: string
  /** What is deleted, as it stands in a sentence: `the stream clicks`. */
  what: string
  /** What the button shows. */
  label: string
  remove: () => Promise<void>
  onDone: () => void
  /** What is lost by it. */
  children: ReactNode
}

/** A button that deletes data after one more question; where it is in use, the dialog says by what. */
export function RemoveButton({ tenant, what, label, remove, onDone, children }: RemoveButtonProps) {
  const mayWrite = useMay('streams:write')
  const say = useSay()
  const [opened, { open, close }] = useDisclosure()
  const ask = useMutation({
    mutationFn: remove,
    onSuccess: () => {
      close()
      say(`Deleted ${what}.`)
      onDone()
    },
  })
  if (!mayWrite) return null
  const uses = usesIn(ask.error)
  return (
    <>
      <Button size="compact-sm" variant="default" className="bad" aria-label={`Delete ${what}`} onClick={() => { ask.reset(); open() }}>{label}</Button>
      <Confirm title={`Delete ${what}?`} verb={uses ? 'Try again' : 'Delete it'} opened={opened} busy={ask.isPending} error={uses ? null : ask.error} onClose={close} onConfirm={() => ask.mutate()}>
        {uses && ask.error ? <InUse tenant={tenant} error={ask.error} uses={uses} /> : children}
      </Confirm>
    </>
  )
}

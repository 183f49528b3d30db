import { Button, Group, Modal, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { api } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import type { Run } from '../../api/types'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'

/** Stops after the batch in hand; asks once, because the partition in hand is given up. */
export function StopButton({ tenant, run }: { tenant: string; run: Run }) {
  const mayOperate = useMay('runs:write')
  const [opened, { open, close }] = useDisclosure()
  const stop = useMutation({
    mutationFn: () => api.POST('/api/v1/tenants/{tenant}/runs/{run_id}/stop', { params: { path: { tenant, run_id: run.id } } }),
    onSuccess: close,
    onSettled: () => queryClient.invalidateQueries({ queryKey: tenantKey(tenant) }),
  })
  if (run.state === 'stopping') return <Text size="sm" className="quiet">Stopping…</Text>
  if (!mayOperate) return null
  return (
    <>
      <Button variant="default" onClick={open} leftSection={<Icon name="stop" size={16} />}>Stop</Button>
      <Modal opened={opened} onClose={close} title="Stop this run?" centered>
        <Text size="sm">Committed partitions stay. The partition in hand is given up and trained again by the next run.</Text>
        {stop.error ? <Text size="sm" className="bad" role="alert" mt="xs">{stop.error.message}</Text> : null}
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={close}>Keep it running</Button>
          <Button color="red.8" loading={stop.isPending} onClick={() => stop.mutate()}>Stop the run</Button>
        </Group>
      </Modal>
    </>
  )
}

import { Button, Stack, Text, Tooltip } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import type { Model } from '../../api/types'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'

/** Pause takes effect at the next partition; nothing committed is lost. */
export function PauseButton({ tenant, model }: { tenant: string; model: Model }) {
  const mayOperate = useMay('models:write')
  const action = model.status === 'paused' ? 'resume' : 'pause'
  const change = useMutation({
    mutationFn: () => api.POST(`/api/v1/tenants/{tenant}/models/{model_id}/${action}`, { params: { path: { tenant, model_id: model.id } } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: tenantKey(tenant) }),
  })
  if (!mayOperate) return null
  const why = action === 'pause' ? 'Takes no new partitions until resumed; committed work stays.' : 'Goes on with the next partition in time order.'
  return (
    <Stack gap={4} align="flex-end">
      <Tooltip label={why}>
        <Button variant="default" loading={change.isPending} onClick={() => change.mutate()} leftSection={<Icon name={action === 'pause' ? 'pause' : 'runs'} size={16} />}>
          {action === 'pause' ? 'Pause training' : 'Resume training'}
        </Button>
      </Tooltip>
      {change.error ? <Text size="sm" className="bad" role="alert">{change.error.message}</Text> : null}
    </Stack>
  )
}

import { Button, Group, Menu, Modal, Text, UnstyledButton } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, body } from '../../api/client'
import { Confirm } from '../../parts/Confirm'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { Empty } from '../../states/States'
import { type Webhook, webhooksChanged } from './queries'
import { Secret } from './Secret'

interface WebhookTableProps {
  tenant: string
  webhooks: Webhook[]
  shown: string | undefined
  onShow: (id: string | undefined) => void
}

export function WebhookTable({ tenant, webhooks, shown, onShow }: WebhookTableProps) {
  const mayOperate = useMay('webhooks:write')
  const [ending, setEnding] = useState<Webhook | null>(null)
  const at = (id: string) => ({ params: { path: { tenant, webhook_id: id } } })
  const settled = { onSettled: () => webhooksChanged(tenant) }
  const test = useMutation({ mutationFn: (id: string) => body(api.POST('/api/v1/tenants/{tenant}/webhooks/{webhook_id}/test', at(id))), ...settled })
  const rotate = useMutation({ mutationFn: (id: string) => body(api.POST('/api/v1/tenants/{tenant}/webhooks/{webhook_id}/rotate', at(id))), ...settled })
  const change = useMutation({
    mutationFn: ({ id, enabled }: { id: string; enabled: boolean }) => body(api.PATCH('/api/v1/tenants/{tenant}/webhooks/{webhook_id}', { ...at(id), body: { enabled } })),
    ...settled,
  })
  const remove = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/webhooks/{webhook_id}', at(id)),
    onSuccess: () => {
      setEnding(null)
      onShow(undefined)
    },
    ...settled,
  })
  const error = test.error ?? rotate.error ?? change.error
  if (webhooks.length === 0) {
    return (
      <Empty title="No webhook yet" icon="webhooks" command="exfm webhooks create https://hooks.example.com/exfm --on run.failed partition.rejected">
        Make one for each program that should hear of failed runs, rejected uploads or spent budgets.
      </Empty>
    )
  }
  const columns: Column<Webhook>[] = [
    { label: 'Address', card: 'title', most: 300, cell: (webhook) => (
      <UnstyledButton onClick={() => onShow(webhook.id)} aria-current={webhook.id === shown} w="100%">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>{webhook.url}</Text>
        <Text size="xs" className="quiet">{webhook.description || 'no description'}</Text>
      </UnstyledButton>
    ) },
    { label: 'Told of', card: 'more', cell: (webhook) => <Text size="xs">{webhook.event_types.join(', ')}</Text> },
    { label: 'State', only: 'table', cell: (webhook) => <><StateBadge state={webhook.status} /><Trouble webhook={webhook} /></> },
    { label: 'State', only: 'card', card: 'corner', cell: (webhook) => <StateBadge state={webhook.status} /> },
    { label: 'Trouble', only: 'card', card: 'note', cell: (webhook) => <Trouble webhook={webhook} /> },
    { label: 'Waiting', right: true, num: true, cell: (webhook) => webhook.waiting },
    ...(mayOperate ? [{ label: 'Actions', card: 'actions', cell: (webhook) => (
      <Group gap={6} justify="flex-end" wrap="nowrap">
        <Button size="compact-xs" variant="default" disabled={webhook.status !== 'active'} loading={test.isPending && test.variables === webhook.id} onClick={() => test.mutate(webhook.id)} aria-label={`Send a test to ${webhook.url}`}>Test</Button>
        <Menu position="bottom-end">
          <Menu.Target><Button size="compact-xs" variant="default" rightSection={<Icon name="down" size={12} />} aria-label={`More for ${webhook.url}`}>More</Button></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => rotate.mutate(webhook.id)}>New secret</Menu.Item>
            <Menu.Item onClick={() => change.mutate({ id: webhook.id, enabled: webhook.status !== 'active' })}>{webhook.status === 'active' ? 'Disable' : 'Enable'}</Menu.Item>
            <Menu.Item className="bad" onClick={() => { remove.reset(); setEnding(webhook) }}>Remove with its log</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
    ) }] satisfies Column<Webhook>[] : []),
  ]
  return (
    <>
      {error ? <Text size="sm" className="bad" role="alert">{error.message}</Text> : null}
      <DataTable label="Webhooks" columns={columns} rows={webhooks} id={(webhook) => webhook.id} current={shown} narrowest={680} />
      <Confirm title="Remove this webhook?" verb="Remove" opened={ending !== null} busy={remove.isPending} error={remove.error} onClose={() => setEnding(null)} onConfirm={() => { if (ending) remove.mutate(ending.id) }}>
        Nothing more is sent to {ending?.url}; what waits is dropped, and its log goes with it.
      </Confirm>
      <Modal opened={rotate.data !== undefined} onClose={() => rotate.reset()} title="Copy the new secret now" centered>
        <NewSecret secret={rotate.data?.secret ?? ''} onDone={() => rotate.reset()} />
      </Modal>
    </>
  )
}

/** Why nothing is sent to it, or since when sending fails. */
function Trouble({ webhook }: { webhook: Webhook }) {
  return (
    <>
      {webhook.disabled_reason ? <Text size="xs" className="quiet">{webhook.disabled_reason}</Text> : null}
      {webhook.status === 'active' && webhook.failing_since ? <Text size="xs" className="bad">failing since <When at={webhook.failing_since} /></Text> : null}
    </>
  )
}

function NewSecret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <>
      <Text size="sm" mb="sm">For 24 hours deliveries carry signatures of the old and of the new secret.</Text>
      <Secret secret={secret} onDone={onDone} />
    </>
  )
}

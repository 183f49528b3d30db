import { Button, Group, Modal, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, body } from '../../api/client'
import { useMay } from '../../parts/context'
import { Pager } from '../../parts/Pager'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { DeliveryLog } from './DeliveryLog'
import { deliveriesQuery, type Delivery, type Webhook, webhooksChanged } from './queries'

/** What was sent to one webhook in the last thirty days. */
export function Deliveries({ tenant, webhook }: { tenant: string; webhook: Webhook }) {
  const [cursor, setCursor] = useState<string>()
  const [opened, setOpened] = useState<string>()
  const deliveries = useQuery(deliveriesQuery(tenant, webhook.id, cursor))
  return (
    <Panel title="Deliveries" note={`To ${new URL(webhook.url).host} in the last thirty days, newest first`}>
      <Resource query={deliveries} rows={3}>
        {(page) => page.results.length === 0 ? <Empty title="Nothing was sent yet" icon="webhooks">Press Test: the delivery and its answer appear here.</Empty> : (
          <>
            <DeliveryTable tenant={tenant} webhook={webhook} deliveries={page.results} onOpen={setOpened} />
            <Pager page={page} onTurn={setCursor} />
          </>
        )}
      </Resource>
      <Modal opened={opened !== undefined} onClose={() => setOpened(undefined)} title="Delivery" size="lg" centered>
        {opened ? <DeliveryLog tenant={tenant} webhook={webhook.id} delivery={opened} /> : null}
      </Modal>
    </Panel>
  )
}

interface DeliveryTableProps {
  tenant: string
  webhook: Webhook
  deliveries: Delivery[]
  onOpen: (id: string) => void
}

function DeliveryTable({ tenant, webhook, deliveries, onOpen }: DeliveryTableProps) {
  const mayOperate = useMay('webhooks:write') && webhook.status === 'active'
  const replay = useMutation({
    mutationFn: (id: string) => body(api.POST('/api/v1/tenants/{tenant}/webhooks/{webhook_id}/deliveries/{delivery_id}/replay', { params: { path: { tenant, webhook_id: webhook.id, delivery_id: id } } })),
    onSettled: () => webhooksChanged(tenant),
  })
  const columns: Column<Delivery>[] = [
    { label: 'When', card: 'note', cell: (delivery) => <When at={delivery.created_at} /> },
    { label: 'Event', card: 'title', cell: (delivery) => <><Text span ff="monospace" size="xs">{delivery.event_type}</Text>{delivery.cause === 'event' ? null : <Text size="xs" className="quiet">{delivery.cause}</Text>}</> },
    { label: 'State', card: 'corner', cell: (delivery) => <><StateBadge state={delivery.state} />{delivery.next_attempt_at && delivery.attempts > 0 ? <Text size="xs" className="quiet">again <When at={delivery.next_attempt_at} /></Text> : null}</> },
    { label: 'Attempts', right: true, num: true, cell: (delivery) => delivery.attempts },
    { label: 'Last answer', cell: (delivery) => delivery.last_status ?? delivery.last_code ?? <span className="quiet">none yet</span> },
    { label: 'Actions', card: 'actions', cell: (delivery) => (
      <Group gap={6} justify="flex-end" wrap="nowrap">
        <Button size="compact-xs" variant="default" onClick={() => onOpen(delivery.id)} aria-label={`Log of ${delivery.event_type}`}>Log</Button>
        {mayOperate && delivery.state !== 'pending' ? <Button size="compact-xs" variant="default" loading={replay.isPending && replay.variables === delivery.id} onClick={() => replay.mutate(delivery.id)} aria-label={`Replay ${delivery.event_type}`}>Replay</Button> : null}
      </Group>
    ) },
  ]
  return (
    <>
      {replay.error ? <Text size="sm" className="bad" role="alert">{replay.error.message}</Text> : null}
      <DataTable label="Deliveries" columns={columns} rows={deliveries} id={(delivery) => delivery.id} narrowest={620} />
    </>
  )
}

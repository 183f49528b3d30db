import { Button, Group, Modal, Table, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, body } from '../../api/client'
import { absolute } from '../../format/time'
import { useMay } from '../../parts/context'
import { Pager } from '../../parts/Pager'
import { Panel } from '../../parts/Panel'
import { Scroll } from '../../parts/Scroll'
import { StateBadge } from '../../parts/StateBadge'
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
  return (
    <Scroll label="Deliveries, table">
      {replay.error ? <Text size="sm" className="bad" role="alert">{replay.error.message}</Text> : null}
      <Table fz="sm" miw={620}>
        <Table.Thead><Table.Tr><Table.Th scope="col">When</Table.Th><Table.Th scope="col">Event</Table.Th><Table.Th scope="col">State</Table.Th><Table.Th scope="col">Attempts</Table.Th><Table.Th scope="col">Last answer</Table.Th><Table.Th scope="col"><span className="skip">Actions</span></Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {deliveries.map((delivery) => (
            <Table.Tr key={delivery.id}>
              <Table.Td><When at={delivery.created_at} /></Table.Td>
              <Table.Td><Text span ff="monospace" size="xs">{delivery.event_type}</Text>{delivery.cause === 'event' ? null : <Text size="xs" className="quiet">{delivery.cause}</Text>}</Table.Td>
              <Table.Td><StateBadge state={delivery.state} />{delivery.next_attempt_at && delivery.attempts > 0 ? <Text size="xs" className="quiet">again {absolute(delivery.next_attempt_at)}</Text> : null}</Table.Td>
              <Table.Td className="num">{delivery.attempts}</Table.Td>
              <Table.Td>{delivery.last_status ?? delivery.last_code ?? <span className="quiet">none yet</span>}</Table.Td>
              <Table.Td ta="right">
                <Group gap={6} justify="flex-end" wrap="nowrap">
                  <Button size="compact-xs" variant="default" onClick={() => onOpen(delivery.id)} aria-label={`Log of ${delivery.event_type}`}>Log</Button>
                  {mayOperate && delivery.state !== 'pending' ? <Button size="compact-xs" variant="default" loading={replay.isPending && replay.variables === delivery.id} onClick={() => replay.mutate(delivery.id)} aria-label={`Replay ${delivery.event_type}`}>Replay</Button> : null}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scroll>
  )
}

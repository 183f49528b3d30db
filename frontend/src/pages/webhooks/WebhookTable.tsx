import { Button, Group, Menu, Modal, Table, Text, UnstyledButton } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, body } from '../../api/client'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { Scroll } from '../../parts/Scroll'
import { StateBadge } from '../../parts/StateBadge'
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
    onSuccess: () => { onShow(undefined) },
    ...settled,
  })
  const error = test.error ?? rotate.error ?? change.error ?? remove.error
  if (webhooks.length === 0) {
    return (
      <Empty title="No webhook yet" icon="webhooks" command="exfm webhooks create https://hooks.example.com/exfm --on run.failed partition.rejected">
        Make one for each program that should hear of failed runs, rejected uploads or spent budgets.
      </Empty>
    )
  }
  return (
    <>
      {error ? <Text size="sm" className="bad" role="alert">{error.message}</Text> : null}
      <Scroll label="Webhooks, table">
        <Table fz="sm" miw={680}>
          <Table.Thead><Table.Tr><Table.Th scope="col">Address</Table.Th><Table.Th scope="col">Told of</Table.Th><Table.Th scope="col">State</Table.Th><Table.Th scope="col">Waiting</Table.Th><Table.Th scope="col"><span className="skip">Actions</span></Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {webhooks.map((webhook) => (
              <Table.Tr key={webhook.id} bg={webhook.id === shown ? 'var(--mantine-color-default-hover)' : undefined}>
                <Table.Td maw={300}>
                  <UnstyledButton onClick={() => onShow(webhook.id)} aria-current={webhook.id === shown} w="100%">
                    <Text size="sm" truncate>{webhook.url}</Text>
                    <Text size="xs" className="quiet">{webhook.description || 'no description'}</Text>
                  </UnstyledButton>
                </Table.Td>
                <Table.Td><Text size="xs">{webhook.event_types.join(', ')}</Text></Table.Td>
                <Table.Td>
                  <StateBadge state={webhook.status} />
                  {webhook.disabled_reason ? <Text size="xs" className="quiet">{webhook.disabled_reason}</Text> : null}
                  {webhook.status === 'active' && webhook.failing_since ? <Text size="xs" className="bad">failing since <When at={webhook.failing_since} /></Text> : null}
                </Table.Td>
                <Table.Td className="num">{webhook.waiting}</Table.Td>
                <Table.Td ta="right">
                  {mayOperate ? (
                    <Group gap={6} justify="flex-end" wrap="nowrap">
                      <Button size="compact-xs" variant="default" disabled={webhook.status !== 'active'} loading={test.isPending && test.variables === webhook.id} onClick={() => test.mutate(webhook.id)} aria-label={`Send a test to ${webhook.url}`}>Test</Button>
                      <Menu position="bottom-end">
                        <Menu.Target><Button size="compact-xs" variant="default" rightSection={<Icon name="down" size={12} />} aria-label={`More for ${webhook.url}`}>More</Button></Menu.Target>
                        <Menu.Dropdown>
                          <Menu.Item onClick={() => rotate.mutate(webhook.id)}>New secret</Menu.Item>
                          <Menu.Item onClick={() => change.mutate({ id: webhook.id, enabled: webhook.status !== 'active' })}>{webhook.status === 'active' ? 'Disable' : 'Enable'}</Menu.Item>
                          <Menu.Item color="red" onClick={() => remove.mutate(webhook.id)}>Remove with its log</Menu.Item>
                        </Menu.Dropdown>
                      </Menu>
                    </Group>
                  ) : null}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Scroll>
      <Modal opened={rotate.data !== undefined} onClose={() => rotate.reset()} title="Copy the new secret now" centered>
        <NewSecret secret={rotate.data?.secret ?? ''} onDone={() => rotate.reset()} />
      </Modal>
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

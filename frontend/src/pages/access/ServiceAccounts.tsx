import { Alert, Button, Checkbox, Group, Modal, Select, Stack, Table, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import type { ServiceAccount } from '../../api/types'
import { Command } from '../../parts/Command'
import { Confirm } from '../../parts/Confirm'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { Scroll } from '../../parts/Scroll'
import { When } from '../../parts/When'
import { READ, WRITE } from './scopes'

const ROLES = ['engineer', 'viewer', 'billing'] as const
const BILLING = ['insights:read', 'models:read', 'costs:read']

export function ServiceAccounts({ tenant, accounts }: { tenant: string; accounts: ServiceAccount[] }) {
  const mayManage = useMay('members:write')
  const [making, setMaking] = useState<ServiceAccount | null>(null)
  const [ending, setEnding] = useState<ServiceAccount | null>(null)
  const remove = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/service-accounts/{id}', { params: { path: { tenant, id } } }),
    onSuccess: () => { setEnding(null); return queryClient.invalidateQueries({ queryKey: tenantKey(tenant) }) },
  })
  if (accounts.length === 0) return <Text size="sm" className="quiet">None yet. A service account owns its tokens, so nothing breaks when a person leaves.</Text>
  return (
    <Scroll label="Service accounts, table">
      <Table fz="sm" miw={420}>
        <Table.Thead><Table.Tr><Table.Th scope="col">Name</Table.Th><Table.Th scope="col">Role</Table.Th><Table.Th scope="col">Made</Table.Th><Table.Th scope="col"><span className="skip">Actions</span></Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {accounts.map((account) => (
            <Table.Tr key={account.id}>
              <Table.Td>{account.name}</Table.Td><Table.Td>{account.role}</Table.Td><Table.Td><When at={account.created_at} /></Table.Td>
              <Table.Td>{mayManage ? (
                <Group gap={6} justify="flex-end" wrap="nowrap">
                  <Button size="compact-xs" variant="default" onClick={() => setMaking(account)} aria-label={`New token of ${account.name}`}>New token</Button>
                  <Button size="compact-xs" variant="default" onClick={() => { remove.reset(); setEnding(account) }} aria-label={`Remove ${account.name}`}>Remove</Button>
                </Group>
              ) : null}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {making ? <AccountToken tenant={tenant} account={making} onClose={() => setMaking(null)} /> : null}
      <Confirm title="Remove this service account?" verb="Remove" opened={ending !== null} busy={remove.isPending} error={remove.error} onClose={() => setEnding(null)} onConfirm={() => { if (ending) remove.mutate(ending.id) }}>
        All tokens of {ending?.name} are revoked at once.
      </Confirm>
    </Scroll>
  )
}

function AccountToken({ tenant, account, onClose }: { tenant: string; account: ServiceAccount; onClose: () => void }) {
  const [name, setName] = useState('')
  const [writes, setWrites] = useState(false)
  const reads = account.role === 'billing' ? BILLING : READ
  const make = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/service-accounts/{id}/tokens', { params: { path: { tenant, id: account.id } }, body: { name, scopes: writes ? [...reads, ...WRITE] : reads } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'tokens'] }),
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  return (
    <Modal opened onClose={onClose} title={make.data ? 'Copy the token now' : `New token of ${account.name}`} centered>
      {make.data ? (
        <Stack>
          <Text size="sm">It is shown this one time; only its hash is stored.</Text>
          <Command label="token">{`export EXFM_TOKEN=${make.data.token ?? ''}`}</Command>
          <Group justify="flex-end"><Button onClick={onClose}>I have copied it</Button></Group>
        </Stack>
      ) : (
        <form onSubmit={submit}>
          <Stack>
            {make.error ? <Alert color="red" variant="light" role="alert">{make.error.message}</Alert> : null}
            <TextInput label="Name" description="Where it is used" required maxLength={80} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
            {account.role === 'engineer' ? <Checkbox checked={writes} onChange={(event) => setWrites(event.currentTarget.checked)} label="May also write" description="Upload data, register models, pause them, stop runs." /> : null}
            <Group justify="flex-end"><Button type="submit" loading={make.isPending} disabled={!name.trim()}>Make the token</Button></Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}

export function NewServiceAccount({ tenant }: { tenant: string }) {
  const mayManage = useMay('members:write')
  const [opened, { open, close }] = useDisclosure()
  const [name, setName] = useState('')
  const [role, setRole] = useState<(typeof ROLES)[number]>('viewer')
  const make = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/service-accounts', { params: { path: { tenant } }, body: { name, role } })),
    onSuccess: () => {
      close()
      setName('')
      return queryClient.invalidateQueries({ queryKey: tenantKey(tenant) })
    },
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  if (!mayManage) return null
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={open}>New service account</Button>
      <Modal opened={opened} onClose={close} title="New service account" centered>
        <form onSubmit={submit}>
          <Stack>
            {make.error ? <Alert color="red" variant="light" role="alert">{make.error.message}</Alert> : null}
            <TextInput label="Name" description="Which program it is" required maxLength={120} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
            <Select label="Role" description="The most its tokens may do; never owner" allowDeselect={false} data={[...ROLES]} value={role} onChange={(wanted) => { if (wanted) setRole(wanted) }} />
            <Group justify="flex-end"><Button type="submit" loading={make.isPending} disabled={!name.trim()}>Make it</Button></Group>
          </Stack>
        </form>
      </Modal>
    </>
  )
}

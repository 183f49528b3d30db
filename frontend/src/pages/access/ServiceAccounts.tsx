import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
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
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { EndsField } from './EndsField'
import { ScopeChoice } from './ScopeChoice'
import { endOf, OF_ACCOUNT, READ } from './scopes'

const ROLES = ['engineer', 'viewer', 'billing'] as const

export function ServiceAccounts({ tenant, accounts }: { tenant: string; accounts: ServiceAccount[] }) {
  const mayManage = useMay('members:write')
  const [making, setMaking] = useState<ServiceAccount | null>(null)
  const [ending, setEnding] = useState<ServiceAccount | null>(null)
  const remove = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/service-accounts/{id}', { params: { path: { tenant, id } } }),
    onSuccess: () => { setEnding(null); return queryClient.invalidateQueries({ queryKey: tenantKey(tenant) }) },
  })
  if (accounts.length === 0) return <Text size="sm" className="quiet">None yet. A service account owns its tokens, so nothing breaks when a person leaves.</Text>
  const columns: Column<ServiceAccount>[] = [
    { label: 'Name', card: 'title', cell: (account) => account.name },
    { label: 'Role', card: 'corner', cell: (account) => account.role },
    { label: 'Made', cell: (account) => <When at={account.created_at} /> },
    ...(mayManage ? [{ label: 'Actions', card: 'actions', cell: (account) => (
      <div className="actions">
        <Button size="compact-xs" variant="default" onClick={() => setMaking(account)} aria-label={`New token of ${account.name}`}>New token</Button>
        <Button size="compact-xs" variant="default" onClick={() => { remove.reset(); setEnding(account) }} aria-label={`Remove ${account.name}`}>Remove</Button>
      </div>
    ) }] satisfies Column<ServiceAccount>[] : []),
  ]
  return (
    <>
      <DataTable label="Service accounts" columns={columns} rows={accounts} id={(account) => account.id} narrowest={420} />
      {making ? <AccountToken tenant={tenant} account={making} onClose={() => setMaking(null)} /> : null}
      <Confirm title="Remove this service account?" verb="Remove" opened={ending !== null} busy={remove.isPending} error={remove.error} onClose={() => setEnding(null)} onConfirm={() => { if (ending) remove.mutate(ending.id) }}>
        All tokens of {ending?.name} are revoked at once.
      </Confirm>
    </>
  )
}

function AccountToken({ tenant, account, onClose }: { tenant: string; account: ServiceAccount; onClose: () => void }) {
  const [name, setName] = useState('')
  const permissions = OF_ACCOUNT[account.role] ?? []
  const [scopes, setScopes] = useState(READ.filter((scope) => permissions.includes(scope)))
  const [ends, setEnds] = useState('')
  const make = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/service-accounts/{id}/tokens', { params: { path: { tenant, id: account.id } }, body: { name, scopes, expires_at: endOf(ends) } })),
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
            <ScopeChoice permissions={permissions} scopes={scopes} onChange={setScopes} />
            <EndsField value={ends} onChange={setEnds} />
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

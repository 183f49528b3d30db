import { Alert, Badge, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import type { Invitation } from '../../api/types'
import { Command } from '../../parts/Command'
import { useMay } from '../../parts/context'
import { Icon } from '../../parts/icons'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { MAY, ROLES, type RoleName } from './roles'

const COLOURS: Record<string, string> = { open: 'blue', accepted: 'teal', revoked: 'gray', expired: 'orange' }

export function Invitations({ tenant, invitations }: { tenant: string; invitations: Invitation[] }) {
  const mayManage = useMay('members:write')
  const revoke = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/invitations/{id}', { params: { path: { tenant, id } } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'invitations'] }),
  })
  if (invitations.length === 0) return <Text size="sm" className="quiet">Nobody is invited at the moment.</Text>
  const columns: Column<Invitation>[] = [
    { label: 'Address', card: 'title', cell: (each) => <>{each.email}<Text size="xs" className="quiet">by {each.invited_by}</Text></> },
    { label: 'Role', cell: (each) => each.role },
    { label: 'State', card: 'corner', cell: (each) => <Badge variant="light" className={`state-${COLOURS[each.state] ?? 'gray'}`} color={COLOURS[each.state] ?? 'gray'}>{each.state}</Badge> },
    { label: 'Ends', cell: (each) => <When at={each.expires_at} /> },
    { label: 'Actions', card: 'actions', cell: (each) => (mayManage && each.state === 'open' ? <Button size="compact-xs" variant="default" loading={revoke.isPending && revoke.variables === each.id} onClick={() => revoke.mutate(each.id)} aria-label={`Withdraw the invitation of ${each.email}`}>Withdraw</Button> : null) },
  ]
  return (
    <>
      {revoke.error ? <Text size="sm" className="bad" role="alert">{revoke.error.message}</Text> : null}
      <DataTable label="Invitations" columns={columns} rows={invitations} id={(each) => each.id} narrowest={520} />
    </>
  )
}

/** Invites somebody; the link is shown this one time. */
export function Invite({ tenant }: { tenant: string }) {
  const mayManage = useMay('members:write')
  const [opened, { open, close }] = useDisclosure()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<RoleName>('viewer')
  const invite = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/invitations', { params: { path: { tenant } }, body: { email, role } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'invitations'] }),
  })
  const done = () => {
    close()
    invite.reset()
    setEmail('')
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    invite.mutate()
  }
  if (!mayManage) return null
  return (
    <>
      <Button size="compact-sm" leftSection={<Icon name="plus" size={14} />} onClick={open}>Invite</Button>
      <Modal opened={opened} onClose={done} title={invite.data ? 'Send this link' : 'Invite somebody'} centered>
        {invite.data ? (
          <Stack>
            <Text size="sm">It works once, only for {invite.data.email}, and is shown this one time.{invite.data.emailed ? ' A letter with it is on its way.' : ' No mail server is set up, so hand it over yourself.'}</Text>
            <Command label="link">{invite.data.link ?? ''}</Command>
            <Group justify="flex-end"><Button onClick={done}>I have copied it</Button></Group>
          </Stack>
        ) : (
          <form onSubmit={submit}>
            <Stack>
              {invite.error ? <Alert color="red" variant="light" role="alert">{invite.error.message}</Alert> : null}
              <TextInput label="Email" type="email" required maxLength={254} data-autofocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
              <Select label="Role" description={MAY[role] ?? ''} allowDeselect={false} data={[...ROLES]} value={role} onChange={(wanted) => { if (wanted) setRole(wanted) }} />
              <Group justify="flex-end"><Button type="submit" loading={invite.isPending} disabled={!email.trim()}>Make the link</Button></Group>
            </Stack>
          </form>
        )}
      </Modal>
    </>
  )
}

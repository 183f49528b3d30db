import { Button, Select, Table, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { queryClient, sessionQuery, tenantKey } from '../../api/queries'
import type { Member } from '../../api/types'
import { Confirm } from '../../parts/Confirm'
import { useMay } from '../../parts/context'
import { Scroll } from '../../parts/Scroll'
import { MAY, ROLES, type RoleName } from './roles'

/** Who belongs here; owners change roles and remove people. */
export function Members({ tenant, members }: { tenant: string; members: Member[] }) {
  const mayManage = useMay('members:write')
  const me = useQuery(sessionQuery).data?.user.email
  const [leaving, setLeaving] = useState<Member | null>(null)
  const refresh = () => queryClient.invalidateQueries({ queryKey: tenantKey(tenant) })
  const change = useMutation({
    mutationFn: ({ id, role }: { id: string; role: RoleName }) => api.PATCH('/api/v1/tenants/{tenant}/members/{id}', { params: { path: { tenant, id } }, body: { role } }),
    onSettled: refresh,
  })
  const remove = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/members/{id}', { params: { path: { tenant, id } } }),
    onSuccess: () => { setLeaving(null); return refresh() },
  })
  const people = members.filter((member) => !member.is_service)
  return (
    <Scroll label="Members, table">
      {change.error ? <Text size="sm" className="bad" role="alert">{change.error.message}</Text> : null}
      <Table fz="sm" miw={520}>
        <Table.Thead><Table.Tr><Table.Th scope="col">Who</Table.Th><Table.Th scope="col">Role</Table.Th><Table.Th scope="col">May</Table.Th><Table.Th scope="col"><span className="skip">Actions</span></Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {people.map((member) => (
            <Table.Tr key={member.id}>
              <Table.Td>{member.name || member.email}{member.email === me ? <Text span size="xs" className="quiet"> you</Text> : null}<Text size="xs" className="quiet">{member.email}</Text></Table.Td>
              <Table.Td>{mayManage ? <Select aria-label={`Role of ${member.email}`} size="xs" w={120} allowDeselect={false} data={[...ROLES]} value={member.role} disabled={change.isPending} onChange={(role) => { if (role) change.mutate({ id: member.id, role: role }) }} /> : member.role}</Table.Td>
              <Table.Td className="quiet">{MAY[member.role] ?? ''}</Table.Td>
              <Table.Td ta="right">{mayManage ? <Button size="compact-xs" variant="default" onClick={() => { remove.reset(); setLeaving(member) }} aria-label={`Remove ${member.email}`}>Remove</Button> : null}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Confirm title="Remove this member?" verb="Remove" opened={leaving !== null} busy={remove.isPending} error={remove.error} onClose={() => setLeaving(null)} onConfirm={() => { if (leaving) remove.mutate(leaving.id) }}>
        {leaving?.email} loses access to this tenant at once, and the tokens they made here are revoked.
      </Confirm>
    </Scroll>
  )
}

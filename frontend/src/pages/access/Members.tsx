import { Button, Select, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { queryClient, sessionQuery, tenantKey } from '../../api/queries'
import type { Member } from '../../api/types'
import { Confirm } from '../../parts/Confirm'
import { useMay } from '../../parts/context'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
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
  const columns: Column<Member>[] = [
    { label: 'Who', card: 'title', cell: (member) => <>{member.name || member.email}{member.email === me ? <Text span size="xs" className="quiet"> you</Text> : null}<Text size="xs" className="quiet">{member.email}</Text></> },
    { label: 'Role', card: mayManage ? 'line' : 'corner', cell: (member) => (mayManage ? <Select aria-label={`Role of ${member.email}`} size="xs" w={120} allowDeselect={false} data={[...ROLES]} value={member.role} disabled={change.isPending} onChange={(role) => { if (role) change.mutate({ id: member.id, role: role }) }} /> : member.role) },
    { label: 'May', cell: (member) => <span className="quiet">{MAY[member.role] ?? ''}</span> },
    ...(mayManage ? [
      { label: 'Second factor', cell: (member) => <span className={member.second_factor ? '' : 'quiet'}>{member.second_factor ? 'yes' : 'no'}</span> },
      { label: 'Actions', card: 'actions', cell: (member) => <Button size="compact-xs" variant="default" onClick={() => { remove.reset(); setLeaving(member) }} aria-label={`Remove ${member.email}`}>Remove</Button> },
    ] satisfies Column<Member>[] : []),
  ]
  return (
    <>
      {change.error ? <Text size="sm" className="bad" role="alert">{change.error.message}</Text> : null}
      <DataTable label="Members" columns={columns} rows={people} id={(member) => member.id} narrowest={mayManage ? 620 : 520} />
      <Confirm title="Remove this member?" verb="Remove" opened={leaving !== null} busy={remove.isPending} error={remove.error} onClose={() => setLeaving(null)} onConfirm={() => { if (leaving) remove.mutate(leaving.id) }}>
        {leaving?.email} loses access to this tenant at once, and the tokens they made here are revoked.
      </Confirm>
    </>
  )
}

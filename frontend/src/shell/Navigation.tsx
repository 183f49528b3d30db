import { NavLink, ScrollArea, Stack } from '@mantine/core'
import type { Me } from '../api/types'
import { Icon } from '../parts/icons'
import { NavItem } from '../parts/links'
import { PAGES } from '../parts/pages'

/** Pages that the member's role includes; a page reached by address in spite of that says why it is closed. */
export function Navigation({ me, tenant }: { me: Me; tenant: string }) {
  const permissions = me.memberships.find((each) => each.tenant.slug === tenant)?.permissions
  const open = PAGES.filter(([, , , permission]) => permissions?.includes(permission) ?? true)
  return (
    <Stack component="nav" aria-label="Pages" h="100%" justify="space-between" gap="md">
      <ScrollArea>
        <Stack gap={2}>
          {open.map(([to, label, icon]) => (
            <NavItem key={to} to={to} params={{ tenant }} label={label} leftSection={<Icon name={icon} />} activeOptions={{ exact: to === '/t/$tenant', includeSearch: false }} activeProps={{ active: true }} style={{ borderRadius: 8 }} />
          ))}
        </Stack>
      </ScrollArea>
      <Stack gap={2}>
        {me.user.is_platform_admin ? <NavLink component="a" href={`${me.admin_origin}/admin/`} label="Operators’ admin" leftSection={<Icon name="away" />} style={{ borderRadius: 8 }} /> : null}
        <NavLink component="a" href="/api/v1/docs" label="API" leftSection={<Icon name="away" />} style={{ borderRadius: 8 }} />
      </Stack>
    </Stack>
  )
}

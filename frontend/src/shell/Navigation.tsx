import { NavLink, ScrollArea, Stack } from '@mantine/core'
import type { Me } from '../api/types'
import { Icon, type IconName } from '../parts/icons'
import { NavItem } from '../parts/links'

const PAGES = [
  ['/t/$tenant', 'Overview', 'overview'],
  ['/t/$tenant/models', 'Models', 'models'],
  ['/t/$tenant/runs', 'Runs', 'runs'],
  ['/t/$tenant/data', 'Data', 'data'],
  ['/t/$tenant/foundation', 'Foundation', 'foundation'],
  ['/t/$tenant/costs', 'Costs', 'costs'],
  ['/t/$tenant/access', 'Access', 'access'],
] as const satisfies readonly (readonly [string, string, IconName])[]

export function Navigation({ me, tenant }: { me: Me; tenant: string }) {
  return (
    <Stack component="nav" aria-label="Pages" h="100%" justify="space-between" gap="md">
      <ScrollArea>
        <Stack gap={2}>
          {PAGES.map(([to, label, icon]) => (
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

import { Button, Menu, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { Me } from '../api/types'
import { Icon } from '../parts/icons'

/** The tenant on screen, and the way to the others. With a single tenant it is only a name. */
export function TenantSwitcher({ me, tenant }: { me: Me; tenant: string }) {
  const navigate = useNavigate()
  const current = me.memberships.find((each) => each.tenant.slug === tenant)
  const name = current?.tenant.name ?? tenant
  const label = <Text fw={600} truncate="end" maw={{ base: 150, sm: 260 }}>{name}</Text>
  if (me.memberships.length < 2 && current) return label
  return (
    <Menu position="bottom-start" width={260}>
      <Menu.Target>
        <Button variant="subtle" color="gray" px="xs" rightSection={<Icon name="down" size={16} />} aria-label={`Tenant: ${name}. Switch`} style={{ color: 'inherit', minWidth: 0 }}>{label}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Your tenants</Menu.Label>
        {me.memberships.map(({ tenant: each, role }) => (
          <Menu.Item key={each.id} onClick={() => void navigate({ to: '/t/$tenant', params: { tenant: each.slug } })} rightSection={each.slug === tenant ? <Icon name="check" size={16} /> : null} aria-current={each.slug === tenant ? 'true' : undefined}>
            {each.name} <Text span size="xs" className="quiet">{role}</Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

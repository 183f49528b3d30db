import { ActionIcon, Avatar, Group, Menu, Text, Tooltip, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link as RouterLink } from '@tanstack/react-router'
import { api } from '../api/client'
import type { Me } from '../api/types'
import { Icon } from '../parts/icons'

export function UserMenu({ me }: { me: Me }) {
  const scheme = useComputedColorScheme('light')
  const { setColorScheme } = useMantineColorScheme()
  const leave = useMutation({
    mutationFn: () => api.DELETE('/api/v1/session'),
    // A fresh page forgets everything that was read under this session.
    onSuccess: () => window.location.assign('/sign-in'),
  })
  const name = me.user.name || me.user.email
  const initials = name.split(/[\s@.]+/).slice(0, 2).map((word) => word.charAt(0).toUpperCase()).join('')
  const other = scheme === 'dark' ? 'light' : 'dark'
  return (
    <Group gap="xs" wrap="nowrap">
      <Tooltip label={`Use the ${other} colours`}>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Use the ${other} colours`} onClick={() => setColorScheme(other)}>
          <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
        </ActionIcon>
      </Tooltip>
      <Menu position="bottom-end" width={250}>
        <Menu.Target>
          <UnstyledButton aria-label={`${initials}, account of ${name}`} style={{ borderRadius: '50%' }}>
            <Avatar size={32} color="ink">{initials}</Avatar>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Text size="sm" fw={600} c="var(--mantine-color-text)">{name}</Text>
            {me.user.email}
          </Menu.Label>
          <Menu.Item component={RouterLink} to="/account" leftSection={<Icon name="access" size={16} />}>Your account</Menu.Item>
          <Menu.Item onClick={() => setColorScheme('auto')} leftSection={<Icon name="sun" size={16} />}>Colours as the system</Menu.Item>
          {me.user.is_platform_admin ? <Menu.Item component="a" href={`${me.admin_origin}/admin/`} leftSection={<Icon name="away" size={16} />}>Operators’ admin</Menu.Item> : null}
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="out" size={16} />} closeMenuOnClick={false} onClick={() => leave.mutate()}>
            {leave.error ? `${leave.error.message} Try again` : 'Sign out'}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  )
}

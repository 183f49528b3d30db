import { AppShell, Burger, Container, Divider, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Outlet, useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useLive } from '../api/live'
import { queryClient, sessionQuery } from '../api/queries'
import { useTenant } from '../parts/context'
import { AnchorLink } from '../parts/links'
import { Mark } from '../parts/icons'
import { LiveBanner } from './LiveBanner'
import { Navigation } from './Navigation'
import { TenantSwitcher } from './TenantSwitcher'
import { UserMenu } from './UserMenu'

/** The frame around every page of a tenant. */
export function Shell() {
  const tenant = useTenant()
  const { data: me } = useQuery(sessionQuery)
  const [opened, { toggle, close }] = useDisclosure()
  const address = useLocation({ select: (location) => location.pathname })
  useLive(queryClient, tenant)
  useEffect(() => { window.localStorage.setItem('exfm-tenant', tenant) }, [tenant])
  useEffect(() => close(), [address, close])

  if (!me) return null
  return (
    <AppShell header={{ height: 54 }} navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding={{ base: 'sm', sm: 'lg' }}>
      <a href="#content" className="skip">Skip to the content</a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={opened ? 'Close the menu' : 'Open the menu'} />
            <AnchorLink to="/t/$tenant" params={{ tenant }} underline="never" c="inherit" aria-label="ExFM, overview">
              <Group gap={8} wrap="nowrap"><Mark /><Text fw={700} visibleFrom="sm">ExFM</Text></Group>
            </AnchorLink>
            <Divider orientation="vertical" visibleFrom="sm" />
            <TenantSwitcher me={me} tenant={tenant} />
          </Group>
          <UserMenu me={me} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm"><Navigation me={me} tenant={tenant} /></AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} style={{ outline: 'none' }}>
        <Container size={1360} px={0}>
          <LiveBanner />
          <Outlet />
        </Container>
      </AppShell.Main>
    </AppShell>
  )
}

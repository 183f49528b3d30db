import { AppShell, Burger, Container, Divider, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useLocation } from '@tanstack/react-router'
import { type ReactNode, useEffect } from 'react'
import type { Me } from '../api/types'
import { Mark } from '../parts/icons'
import { AnchorLink } from '../parts/links'
import { Navigation } from './Navigation'
import { TenantSwitcher } from './TenantSwitcher'
import { UserMenu } from './UserMenu'

/** Head, the tenant's navigation, and the page's content beside it. */
export function Frame({ me, tenant, children }: { me: Me; tenant: string; children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure()
  const address = useLocation({ select: (location) => location.pathname })
  useEffect(() => close(), [address, close])
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
          {children}
        </Container>
      </AppShell.Main>
    </AppShell>
  )
}

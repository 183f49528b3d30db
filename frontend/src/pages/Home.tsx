import { Anchor, Center } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Navigate } from '@tanstack/react-router'
import { sessionQuery } from '../api/queries'
import { lastTenant } from '../shell/lastTenant'
import { Empty } from '../states/States'

/** Sends a member to the tenant looked at last, or the first; says what to do to everybody else. */
export function Home() {
  const { data: me } = useQuery(sessionQuery)
  if (!me) return null
  const slug = lastTenant(me)
  if (slug) return <Navigate to="/t/$tenant" params={{ tenant: slug }} replace />
  return (
    <Center component="main" mih="100vh">
      {me.user.is_platform_admin ? (
        <Empty order={1} title="You are a platform admin without a tenant of your own" icon="foundation">
          Tenants, budgets and foundation models are in the <Anchor href={`${me.admin_origin}/admin/`}>operators’ admin</Anchor>. To see a tenant’s pages, add yourself to it there.
        </Empty>
      ) : (
        <Empty order={1} title="You are not a member of any tenant yet" icon="access">
          Ask an owner of your team’s tenant to add {me.user.email}; then reload this page.
        </Empty>
      )}
    </Center>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Outlet, useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useLive } from '../api/live'
import { queryClient, sessionQuery } from '../api/queries'
import { useMay, useTenant } from '../parts/context'
import { pageAt } from '../parts/pages'
import { Closed } from './Closed'
import { FactorGate } from './FactorGate'
import { Frame } from './Frame'
import { keepTenant } from './lastTenant'
import { LiveBanner } from './LiveBanner'

/** The frame around every page of a tenant. */
export function Shell() {
  const tenant = useTenant()
  const { data: me } = useQuery(sessionQuery)
  useEffect(() => keepTenant(tenant), [tenant])

  if (!me) return null
  const here = me.memberships.find((each) => each.tenant.slug === tenant)
  return (
    <Frame me={me} tenant={tenant}>
      {here?.second_factor_required ? <FactorGate name={here.tenant.name} /> : <Pages tenant={tenant} role={here?.role} />}
    </Frame>
  )
}

/** A page that the role does not include says so and asks the server nothing. */
function Pages({ tenant, role }: { tenant: string; role: string | undefined }) {
  const page = pageAt(useLocation({ select: (location) => location.pathname }))
  const open = useMay(page?.permission ?? '')
  useLive(queryClient, tenant, useMay('runs:read') || role === undefined)
  return (
    <>
      <LiveBanner />
      {page && role && !open ? <Closed page={page.label} role={role} /> : <Outlet />}
    </>
  )
}

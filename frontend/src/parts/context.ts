/** What every page below a tenant knows: who looks, in which role, in which currency. */
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { overviewQuery, sessionQuery } from '../api/queries'

export function useTenant(): string {
  return useParams({ strict: false, select: (params) => params.tenant ?? '' })
}

/** One currency per installation; the overview names it. */
export function useCurrency(): string {
  const overview = useQuery({ ...overviewQuery(useTenant()), refetchInterval: false, staleTime: Infinity })
  return overview.data?.spend.currency ?? 'USD'
}

/** Only shows or hides controls; the server decides. */
export function useRole() {
  const tenant = useTenant()
  const session = useQuery(sessionQuery)
  const role = session.data?.memberships.find((each) => each.tenant.slug === tenant)?.role ?? ''
  return { role, mayOperate: role === 'owner' || role === 'engineer', isOwner: role === 'owner' }
}

/** What every page below a tenant knows: who looks, in which role, in which currency. */
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { sessionQuery } from '../api/queries'

export function useTenant(): string {
  return useParams({ strict: false, select: (params) => params.tenant ?? '' })
}

/** One currency per installation; the session names it. */
export function useCurrency(): string {
  return useQuery(sessionQuery).data?.currency ?? 'USD'
}

/** Whether the signed-in member's role includes a permission such as `runs:write`. Only shows or hides; the server decides. */
export function useMay(permission: string): boolean {
  return usePermissions().includes(permission)
}

/** All that the signed-in member's role includes. */
export function usePermissions(): readonly string[] {
  const tenant = useTenant()
  const session = useQuery(sessionQuery)
  return session.data?.memberships.find((each) => each.tenant.slug === tenant)?.permissions ?? []
}

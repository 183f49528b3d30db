import type { Me } from '../api/types'

const KEPT = 'exfm-tenant'

/** Keeps which tenant is on screen, for pages that belong to none. */
export const keepTenant = (slug: string) => window.localStorage.setItem(KEPT, slug)

/** The tenant looked at last, or the first; nothing for those who are members of none. */
export function lastTenant({ memberships }: Me): string | undefined {
  const slugs = memberships.map(({ tenant }) => tenant.slug)
  const last = window.localStorage.getItem(KEPT)
  return last && slugs.includes(last) ? last : slugs[0]
}

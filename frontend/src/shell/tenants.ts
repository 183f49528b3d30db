import type { Me } from '../api/types'

export type Membership = Me['memberships'][number]

/** Memberships by the tenant's name, those whose name, slug or role holds every word of the search; without a search the
 * current one comes first. */
export function matching(memberships: readonly Membership[], search: string, current: string): Membership[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return memberships
    .filter(({ tenant, role }) => words.every((word) => `${tenant.name} ${tenant.slug} ${role}`.toLowerCase().includes(word)))
    .toSorted((a, b) => (words.length ? 0 : Number(b.tenant.slug === current) - Number(a.tenant.slug === current)) || a.tenant.name.localeCompare(b.tenant.name, 'en'))
}

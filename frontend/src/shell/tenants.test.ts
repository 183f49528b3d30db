import { describe, expect, it } from 'vitest'
import { matching, type Membership } from './tenants'

const member = (slug: string, name: string, role: Membership['role']): Membership => ({ tenant: { id: slug, slug, name, status: 'active' }, role, permissions: [], second_factor_required: false })
const ALL = [member('zeta', 'Zeta Travel', 'viewer'), member('acme-1', 'Acme Retail', 'owner'), member('acme-2', 'acme Media', 'billing')]
const found = (search: string, current = '') => matching(ALL, search, current).map(({ tenant }) => tenant.slug)

describe('the tenants of a person', () => {
  it('stand in the order of their names', () => expect(found('')).toEqual(['acme-2', 'acme-1', 'zeta']))
  it('begin with the one on screen until somebody searches', () => {
    expect(found('', 'zeta')).toEqual(['zeta', 'acme-2', 'acme-1'])
    expect(found('e', 'zeta')).toEqual(['acme-2', 'acme-1', 'zeta'])
  })
  it('are found by every word of the search, in name, slug or role', () => {
    expect(found('ACME')).toEqual(['acme-2', 'acme-1'])
    expect(found('acme owner')).toEqual(['acme-1'])
    expect(found(' zeta  trav ')).toEqual(['zeta'])
    expect(found('nobody')).toEqual([])
  })
})

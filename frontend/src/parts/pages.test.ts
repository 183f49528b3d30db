import { describe, expect, it } from 'vitest'
import { pageAt } from './pages'

describe('the page at an address', () => {
  it('is found by its part below the tenant, whatever follows', () => {
    expect(pageAt('/t/acme')?.label).toBe('Overview')
    expect(pageAt('/t/acme/')?.permission).toBe('insights:read')
    expect(pageAt('/t/acme/runs/0190?tab=log')).toEqual({ label: 'Runs', permission: 'runs:read' })
    expect(pageAt('/t/acme/data#x')?.permission).toBe('streams:read')
  })
  it('is none where there is no such page', () => {
    expect(pageAt('/t/acme/nowhere')).toBeUndefined()
  })
})

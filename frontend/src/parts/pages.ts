/** The pages of a tenant and the permission that opens each; the server decides, this shows and hides. */
import type { IconName } from './icons'

export const PAGES = [
  ['/t/$tenant', 'Overview', 'overview', 'insights:read'],
  ['/t/$tenant/models', 'Models', 'models', 'models:read'],
  ['/t/$tenant/runs', 'Runs', 'runs', 'runs:read'],
  ['/t/$tenant/data', 'Data', 'data', 'streams:read'],
  ['/t/$tenant/foundation', 'Foundation', 'foundation', 'insights:read'],
  ['/t/$tenant/costs', 'Costs', 'costs', 'costs:read'],
  ['/t/$tenant/access', 'Access', 'access', 'members:read'],
  ['/t/$tenant/webhooks', 'Webhooks', 'webhooks', 'webhooks:read'],
  ['/t/$tenant/audit', 'Audit log', 'table', 'audit:read'],
] as const satisfies readonly (readonly [string, string, IconName, string])[]

/** Label and permission of the page at an address such as `/t/acme/runs/1?tab=log`; undefined where there is none. */
export function pageAt(address: string): { label: string; permission: string } | undefined {
  const [path = ''] = address.split(/[?#]/)
  const [, , , name = ''] = path.split('/')
  const found = PAGES.find(([to]) => to.split('/')[3] === (name || undefined))
  return found && { label: found[1], permission: found[3] }
}

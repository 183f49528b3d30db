/** Tenant roles as the pages name and explain them; the server decides what each may do. */
export const ROLES = ['owner', 'engineer', 'viewer', 'billing'] as const
export type RoleName = (typeof ROLES)[number]

export const MAY: Record<string, string> = {
  owner: 'everything in this tenant',
  engineer: 'data, models and runs',
  viewer: 'look, not touch',
  billing: 'costs and ledger',
}

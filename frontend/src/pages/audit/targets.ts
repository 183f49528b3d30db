/** What an audit line was about, in words; names that are words already stay as the log has them. */
const WORDS: Record<string, string> = {
  aliasmove: 'alias',
  apitoken: 'API token',
  foundationmodel: 'foundation model',
  membership: 'member',
  modelversion: 'model version',
  passwordreset: 'password reset',
  recoverycode: 'recovery code',
  secondfactor: 'second factor',
  tenantdeletion: 'deletion of the tenant',
  tenantexport: 'export of the tenant',
  tenantslot: 'place at the foundation model',
  verticalmodel: 'model',
}

export const targetWords = (type: string) => WORDS[type] ?? type

const NAMES = ['name', 'slug', 'email'] as const

/** What the target is called, from the entry's own values; null where they hold no name. */
export function targetName({ before, after }: { before?: unknown; after?: unknown }): string | null {
  for (const values of [after, before]) {
    const held = (values ?? {}) as Record<string, unknown>
    const name = NAMES.map((key) => held[key]).find((value) => typeof value === 'string' && value !== '')
    if (typeof name === 'string') return name
  }
  return null
}

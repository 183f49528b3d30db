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

/** What tokens made on this page may do: reading, or reading and working, and what else is chosen by itself. */
export const READ = ['insights:read', 'streams:read', 'models:read', 'runs:read', 'costs:read']
export const WRITE = ['streams:write', 'models:write', 'runs:write']

/** Scopes that are chosen one by one, and what each allows. */
export const FURTHER: Readonly<Record<string, string>> = {
  'members:read': 'List members, invitations and service accounts.',
  'members:write': 'Invite, change and remove members; make service accounts and their tokens.',
  'tokens:read': 'List tokens, never their text.',
  'tokens:write': 'Make and revoke tokens.',
  'webhooks:read': 'List webhooks and their deliveries.',
  'webhooks:write': 'Make, change and remove webhooks.',
  'audit:read': 'Read the audit log.',
  'tenant:export': 'Ask for exports of everything, download and delete them.',
  'tenant:delete': 'Ask for the tenant’s deletion, or take that back.',
}

const ENGINEER = [...READ, ...WRITE, 'members:read', 'tokens:read', 'tokens:write', 'webhooks:read', 'webhooks:write']

/** The most that tokens of a service account may do, by its role. */
export const OF_ACCOUNT: Readonly<Record<string, readonly string[]>> = {
  engineer: ENGINEER,
  viewer: [...READ, 'members:read'],
  billing: ['insights:read', 'models:read', 'costs:read'],
}

/** The moment a token ends, from the day in a form: the end of that day, UTC. No day: never. */
export const endOf = (day: string) => (day ? `${day}T23:59:59Z` : null)

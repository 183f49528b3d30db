/** What tokens made on this page may do: reading, or reading and working. */
export const READ = ['insights:read', 'streams:read', 'models:read', 'runs:read', 'costs:read']
export const WRITE = ['streams:write', 'models:write', 'runs:write']

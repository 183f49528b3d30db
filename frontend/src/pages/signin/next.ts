/** Where to go after signing in: only addresses of our own pages, never another host. */
export const safe = (next: string | undefined) => (next && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/')

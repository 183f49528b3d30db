import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { FURTHER, OF_ACCOUNT, READ, WRITE } from './scopes'

/** Rows of the permissions' table of docs/roles.md, which is written from the platform's role table. */
const matrix = readFileSync(new URL('../../../../docs/roles.md', import.meta.url), 'utf8')
const ROWS = [...matrix.matchAll(/^\| `([a-z]+:[a-z]+)` \| (.*) \|$/gm)].map(([, scope = '', cells = '']) => [scope, cells.split(' | ')] as const)
const ROLES = ['owner', 'engineer', 'viewer', 'billing']

const permitted = (role: string) => ROWS.filter(([, cells]) => cells[ROLES.indexOf(role)] === 'yes').map(([scope]) => scope)

it('offers every scope that a token may carry', () => {
  expect(ROWS.length).toBeGreaterThan(10)
  expect([...READ, ...WRITE, ...Object.keys(FURTHER)].sort()).toEqual(permitted('owner').sort())
})

it.each(['engineer', 'viewer', 'billing'])('offers a service account that is %s what its role may do', (role) => {
  expect([...(OF_ACCOUNT[role] ?? [])].sort()).toEqual(permitted(role).sort())
})

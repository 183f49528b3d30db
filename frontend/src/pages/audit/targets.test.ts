import { expect, test } from 'vitest'
import { targetName } from './targets'

test('a target is called by the name it has after the change, or had before', () => {
  expect(targetName({ before: { name: 'old' }, after: { name: 'new', email: 'a@b.example' } })).toBe('new')
  expect(targetName({ before: { slug: 'acme' }, after: null })).toBe('acme')
  expect(targetName({ before: null, after: { email: 'a@b.example', role: 'owner' } })).toBe('a@b.example')
})

test('a target whose entry carries no name has none', () => {
  expect(targetName({ before: null, after: { rows: 12, name: '' } })).toBeNull()
  expect(targetName({ before: { name: 7 }, after: undefined })).toBeNull()
})

import { expect, test } from 'vitest'
import { Problem } from '../../api/problem'
import { calledBy, kindWords, partitionLoss, streamLoss, usesIn } from './removal'

const MODEL = { kind: 'model', id: '0190aaaa-0000-7000-8000-0000000000aa', name: 'clicks' }
const RUN = { kind: 'run', id: '0190bbbb-0000-7000-8000-0000000000bb', name: '' }

test('a refusal lists what it names and counts what it leaves out', () => {
  const refused = new Problem(409, { code: 'in_use', detail: 'Two need it.', uses: [MODEL, RUN], uses_count: 60 })
  expect(usesIn(refused)).toEqual({ shown: [MODEL, RUN], more: 58 })
  expect(usesIn(new Problem(409, { code: 'in_use', uses: [MODEL] }))).toEqual({ shown: [MODEL], more: 0 })
  expect(usesIn(new Problem(409, { code: 'in_use' }))).toEqual({ shown: [], more: 0 })
})

test('another failure lists nothing', () => {
  expect(usesIn(new Problem(403, { code: 'forbidden' }))).toBeNull()
  expect(usesIn(new Error('in_use'))).toBeNull()
  expect(usesIn(null)).toBeNull()
})

test('a use has its name, or the end of its id', () => {
  expect([MODEL, RUN].map(calledBy)).toEqual(['clicks', '…000000bb'])
  expect(kindWords({ ...MODEL, kind: 'foundation_model' })).toBe('foundation model')
})

test('what is lost is told in bytes and rows, and a rejected file frees nothing', () => {
  expect(partitionLoss({ state: 'sealed', rows: 5000, bytes: 1_200_000 })).toContain('Its file (1.2 MB, 5,000 rows) is deleted and cannot be brought back. 1.2 MB of the storage quota become free')
  expect(partitionLoss({ state: 'uploaded', rows: null, bytes: 900 })).toContain('Its file (900 B) is deleted')
  expect(partitionLoss({ state: 'rejected', rows: null, bytes: 900 })).not.toContain('become free')
  expect(streamLoss({ partitions: { sealed: 0, rejected: 0, rows: 0 } })).toMatch(/Only a stream without partitions and models is deleted\.$/)
  expect(streamLoss({ partitions: { sealed: 1, rejected: 2, rows: 5000 } })).toContain('this one has 1 sealed and 2 rejected')
})

import { expect, it } from 'vitest'
import type { Proposal } from '../queries'
import { draftOf, missing, schemaOf } from './draft'

const column = (name: string, role: Proposal['columns'][number]['role']) => ({ name, role, type: 'int64', reason: 'why', distinct: 2, nulls: 0 })

const PROPOSAL: Proposal = {
  format: 'csv', rows: 10, whole: true, warnings: [],
  columns: [column('ts', 'event time'), column('user_id', 'user key'), column('price', 'dense'), column('row', 'left out'), column('clicked', 'label')],
  schema: {
    features: [{ name: 'user_id', kind: 'categorical', buckets: 128 }, { name: 'price', kind: 'dense', buckets: 0 }],
    tasks: [{ name: 'clicked', kind: 'click', label: 'clicked' }], event_time: 'ts', user_key: 'user_id',
  },
}

it('keeps what is proposed, leaves out what is not used, and sends no field that a kind does not have', () => {
  const draft = draftOf(PROPOSAL)
  expect(draft.features.map((feature) => [feature.name, feature.used])).toEqual([['user_id', true], ['price', true], ['row', false]])
  expect(missing(draft)).toBe('')
  expect(schemaOf(draft)).toEqual({
    features: [{ name: 'user_id', kind: 'categorical', buckets: 128, hashed: true }, { name: 'price', kind: 'dense' }],
    tasks: [{ name: 'clicked', kind: 'click', label: 'clicked' }], event_time: 'ts', user_key: 'user_id',
  })
})

it('names what a file without a label lacks, and drops a user key that is no feature any more', () => {
  const bare = draftOf({ ...PROPOSAL, schema: null, columns: PROPOSAL.columns.filter((each) => each.role !== 'label') })
  expect(missing(bare)).toBe('Choose at least one label.')
  const draft = draftOf(PROPOSAL)
  const features = draft.features.map((feature) => ({ ...feature, used: feature.name === 'price' }))
  expect(schemaOf({ ...draft, features })).not.toHaveProperty('user_key')
  expect(missing({ ...draft, features })).toContain('categorical')
})

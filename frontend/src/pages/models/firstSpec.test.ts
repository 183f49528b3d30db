import { expect, it } from 'vitest'
import { firstModel } from './firstSpec'

it('takes what may be served, never a privileged feature', () => {
  const schema = { features: [{ name: 'item_id' }, { name: 'past_ctr', privileged: true }], tasks: [{ name: 'click' }] }
  expect(firstModel({ id: 's1', schema }, null)).toEqual({
    name: 'click-1',
    stream: 's1',
    spec: { model: { backbone: 'dcnv2', features: ['item_id'], tasks: ['click'] }, optimizer: {}, supervision: { preset: 'safe' } },
  })
  expect(firstModel({ id: 's1', schema: { features: 'broken' } }, null)).toBeNull()
})

it('names the teacher where it has the head and knows what the stream shares', () => {
  const schema = { features: [{ name: 'item', catalogue: 'item_id' }, { name: 'slot' }], tasks: [{ name: 'click', kind: 'click' }] }
  const catalogue = [{ name: 'item_id', kind: 'categorical', buckets: 10, hashed: true, max_length: 0 }]
  const teacher = { id: 'f1', catalogue, task_kinds: ['click'] }
  expect(firstModel({ id: 's1', schema }, teacher)).toHaveProperty('foundation_model', 'f1')
  expect(firstModel({ id: 's1', schema }, { ...teacher, task_kinds: ['like'] })).not.toHaveProperty('foundation_model')
  expect(firstModel({ id: 's1', schema }, { ...teacher, catalogue: [] })).not.toHaveProperty('foundation_model')
})

import { expect, it } from 'vitest'
import { firstModel } from './firstSpec'

it('takes what may be served, never a privileged feature', () => {
  const schema = { features: [{ name: 'item_id' }, { name: 'past_ctr', privileged: true }], tasks: [{ name: 'click' }] }
  expect(firstModel({ id: 's1', schema })).toEqual({
    name: 'click-1',
    stream: 's1',
    spec: { model: { backbone: 'dcnv2', features: ['item_id'], task: 'click' }, optimizer: {}, supervision: { preset: 'safe' } },
  })
  expect(firstModel({ id: 's1', schema: { features: 'broken' } })).toBeNull()
})

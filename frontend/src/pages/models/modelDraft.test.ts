import { expect, it } from 'vitest'
import { choicesOf, specOf } from './modelDraft'

const DRAFT = { features: ['a'], tasks: ['click'], backbone: 'dcnv2', embeddingDim: 8, mlp: '64, 32', preset: 'safe' }

it('offers no privileged feature and makes a spec of a complete draft alone', () => {
  const schema = { features: [{ name: 'a' }, { name: 'secret', privileged: true }], tasks: [{ name: 'click' }] }
  expect(choicesOf({ schema })).toEqual({ features: ['a'], tasks: ['click'] })
  expect(specOf(DRAFT)).toEqual({ model: { backbone: 'dcnv2', features: ['a'], tasks: ['click'], embedding_dim: 8, mlp: [64, 32] }, optimizer: {}, supervision: { preset: 'safe' } })
  expect(specOf({ ...DRAFT, mlp: '64, x' })).toBeNull()
  expect(specOf({ ...DRAFT, features: [] })).toBeNull()
})

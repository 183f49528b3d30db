import { describe, expect, it } from 'vitest'
import type { ModelCard } from '../../api/types'
import { choose, turned } from './filter'

const model = (name: string, lift: number | null, status = 'active') =>
  ({ name, task: 'click', status, stream: { id: 's', name: 'feed' }, lift: { value: lift } }) as ModelCard

const names = (models: ModelCard[]) => models.map((each) => each.name)

describe('model table', () => {
  const all = [model('b', 0.2), model('a', null), model('c', 1.5, 'paused')]

  it('orders by lift by default, unmeasured models last both ways', () => {
    expect(names(choose(all, {}))).toEqual(['c', 'b', 'a'])
    expect(names(choose(all, { sort: 'lift' }))).toEqual(['b', 'c', 'a'])
  })
  it('searches name, task and stream, and filters by status', () => {
    expect(names(choose(all, { q: 'FEED', status: 'paused' }))).toEqual(['c'])
    expect(choose(all, { q: 'nothing' })).toEqual([])
  })
  it('turns the order around on the second click', () => {
    expect(turned(undefined, 'lift')).toBe('lift')
    expect(turned('name', 'name')).toBe('-name')
    expect(turned('name', 'cost')).toBe('-cost')
  })
})

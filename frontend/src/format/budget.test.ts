import { describe, expect, it } from 'vitest'
import { type Budget, distance, holds, left, mend, mendNone, rule, taken } from './budget'

const budget: Budget = {
  amount: '25.000000', spent: '10.000000', reserved: '1.500000', forecast: '30.000000', action: 'hold', act_percent: 90, acts_at: '22.500000',
  acts: false, currency: 'USD', start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z',
}
const reached: Budget = { ...budget, spent: '23.100000', reserved: '0.000000', acts: true }

describe('what a budget does', () => {
  it('says from when on, in per cent and in money', () => {
    expect(rule(budget)).toBe('From 90 % of the budget ($22.50) on, new runs wait; those that have begun go on.')
    expect(rule({ ...budget, action: 'stop' })).toContain('on, new runs wait, and running ones stop at their next checkpoint.')
    expect(rule({ ...budget, action: 'warn' })).toContain('on, your team is warned; nothing waits before the whole budget is used.')
    expect(rule({ ...budget, act_percent: 100, acts_at: '25.000000' })).toMatch(/^Once the whole budget \(\$25\.00\) is spent, /)
  })
  it('says how far that is, in money and in time', () => {
    expect(distance(budget)).toBe('$12.50 more may be spent before that; at the pace so far it is reached around 2026-11-23.')
    expect(distance({ ...budget, forecast: '22.499999' })).toMatch(/not in this period\.$/)
    expect(distance({ ...budget, spent: '0.000000', forecast: '0.000000' })).toBe('$22.50 more may be spent before that.')
    expect(distance(reached)).toBe('')
  })
  it('says what is left, which nobody may use while it holds', () => {
    expect(left(budget)).toBe(13.5)
    expect(left({ ...budget, reserved: '99' })).toBe(0)
    expect(left({ ...budget, spent: '24.200000', reserved: '0.800000' })).toBe(0)
    expect([holds(budget), holds(reached), holds({ ...reached, action: 'warn' })]).toEqual([false, true, false])
  })
  it('says the state with its numbers once it is taken', () => {
    expect(taken(budget)).toBeNull()
    expect(taken(reached)).toBe('New runs wait; those that have begun go on: $23.10 of $25.00 (92.4 %) are spent, and the budget acts from 90 % ($22.50) on.')
    expect(taken({ ...reached, amount: '23.1', act_percent: 100 })).toMatch(/ \$23\.10 of \$23\.10 \(100 %\) are spent\.$/)
    expect(taken({ ...reached, action: 'warn' })).toMatch(/^Warned: /)
    expect(taken({ ...reached, action: 'stop' })).toMatch(/^New runs wait, and running ones stop at their next checkpoint: /)
  })
  it('says what the reader can do', () => {
    expect(mend(reached, true)).toBe('Ask a platform administrator to raise the budget or change what it does. What waits starts by itself then, or when the next period begins on 2026-12-01 (UTC); nothing is lost.')
    expect(mend(reached, false)).toMatch(/^Ask an owner of your team to have a platform administrator raise the budget or change what it does\. /)
    expect(mend(budget, true)).toMatch(/, or pause models that can wait\.$/)
    expect([mendNone(true), mendNone(false)]).toEqual(['Ask a platform administrator for one.', 'Ask an owner of your team to have a platform administrator set one.'])
    expect(mend(budget, false)).toMatch(/change what it does\.$/)
  })
})

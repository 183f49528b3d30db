/** A budget in sentences: what it does beside its limit, from when on, and how far that is. */
import type { Costs, Overview } from '../api/types'
import { amount, money } from './money'
import { share } from './number'
import { day } from './time'

export interface Budget extends Pick<Costs['budget'], 'amount' | 'spent' | 'reserved' | 'forecast' | 'action' | 'act_percent' | 'acts_at' | 'acts'> {
  currency: string
  /** First moment of the period, and of the next. */
  start: string
  end: string
}

export const budgetOfCosts = ({ budget, currency, period }: Pick<Costs, 'budget' | 'currency' | 'period'>): Budget => ({ ...budget, currency, ...period })

export const budgetOfOverview = ({ spend, period }: Pick<Overview, 'spend' | 'period'>): Budget => ({ ...spend, amount: spend.budget, ...period })

/** What may still be reserved, in the ledger's units: differences of binary fractions leave crumbs. */
export const left = (budget: Budget): number => Math.max(0, Math.round((amount(budget.amount) - amount(budget.spent) - amount(budget.reserved)) * 1e6) / 1e6)

/** Whether new runs wait for the budget whatever is left of it. */
export const holds = (budget: Budget): boolean => budget.acts && budget.action !== 'warn'

const DOES = {
  warn: 'your team is warned; nothing waits before the whole budget is used',
  hold: 'new runs wait; those that have begun go on',
  stop: 'new runs wait, and running ones stop at their next checkpoint',
} as const

/** `From 90 % of the budget ($22.50) on, new runs wait; …` */
export function rule({ action, act_percent: percent, acts_at: at, currency }: Budget): string {
  const from = percent === 100 ? `Once the whole budget (${money(at, currency)}) is spent` : `From ${percent} % of the budget (${money(at, currency)}) on`
  return `${from}, ${DOES[action]}.`
}

/** How far that is in money and, at the pace so far, in time; empty once it is reached. */
export function distance(budget: Budget): string {
  if (budget.acts) return ''
  const at = amount(budget.acts_at)
  const rest = `${money(String(at - amount(budget.spent)), budget.currency)} more may be spent before that`
  const forecast = amount(budget.forecast)
  if (forecast === 0) return `${rest}.`
  if (forecast < at) return `${rest}; at the pace so far that is not in this period.`
  const [start, end] = [Date.parse(budget.start), Date.parse(budget.end)]
  return `${rest}; at the pace so far it is reached around ${day(new Date(start + (end - start) * (at / forecast)).toISOString())}.`
}

const TAKEN = {
  warn: 'Warned: all goes on until the whole budget is used',
  hold: 'New runs wait; those that have begun go on',
  stop: 'New runs wait, and running ones stop at their next checkpoint',
} as const

/** What the budget does now, with the numbers that made it; null while it does nothing. */
export function taken(budget: Budget): string | null {
  if (!budget.acts) return null
  const part = share(amount(budget.spent) / amount(budget.amount))
  const spent = `${TAKEN[budget.action]}: ${money(budget.spent, budget.currency)} of ${money(budget.amount, budget.currency)} (${part}) are spent`
  return budget.act_percent === 100 ? `${spent}.` : `${spent}, and the budget acts from ${budget.act_percent} % (${money(budget.acts_at, budget.currency)}) on.`
}

/** What to do where no budget is set. */
export const mendNone = (mayWrite: boolean): string => (mayWrite ? 'Ask a platform administrator for one.' : 'Ask an owner of your team to have a platform administrator set one.')

/** How to mend it, for who may write models and who may not: no role of a team changes budgets. */
export function mend(budget: Budget, mayWrite: boolean): string {
  const change = `${mayWrite ? 'Ask a platform administrator' : 'Ask an owner of your team to have a platform administrator'} ${mayWrite ? 'to ' : ''}raise the budget or change what it does`
  if (!holds(budget)) return `${change}${mayWrite ? ', or pause models that can wait' : ''}.`
  return `${change}. What waits starts by itself then, or when the next period begins on ${day(budget.end)} (UTC); nothing is lost.`
}

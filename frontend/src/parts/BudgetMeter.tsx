import { Progress, Text } from '@mantine/core'
import { type Budget, holds } from '../format/budget'
import { amount, percentOf } from '../format/money'

const MARKS = { warn: 'warns at', hold: 'holds at', stop: 'stops at' } as const

/** Spent and reserved against the budget, with a line where it acts. */
export function BudgetMeter({ budget }: { budget: Budget }) {
  const whole = amount(budget.amount)
  const spent = percentOf(amount(budget.spent), whole)
  const reserved = Math.min(100 - spent, percentOf(amount(budget.reserved), whole))
  const tight = holds(budget) || amount(budget.forecast) > whole
  const at = budget.act_percent
  return (
    <div className="meter">
      <Progress.Root size={14} radius="sm" aria-label={`Spent ${spent.toFixed(0)} % of the budget, ${reserved.toFixed(0)} % reserved; it acts from ${at} % on`}>
        <Progress.Section value={spent} color={tight ? 'orange.7' : 'ink.7'} aria-label="spent" />
        <Progress.Section value={reserved} color="ink.3" striped aria-label="reserved" />
      </Progress.Root>
      <div className="meter-line" style={{ left: `${at}%` }} aria-hidden />
      <Text size="xs" className="quiet num meter-mark" style={{ left: `${at}%`, transform: `translateX(-${at}%)` }} aria-hidden>{MARKS[budget.action]} {at} %</Text>
    </div>
  )
}

import { Alert, Button, SimpleGrid, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '../../api/queries'
import type { Costs } from '../../api/types'
import { type Budget, budgetOfCosts, distance, holds, left, mend, mendNone, rule, taken } from '../../format/budget'
import { amount, money } from '../../format/money'
import { day } from '../../format/time'
import { BudgetMeter } from '../../parts/BudgetMeter'
import { useMay } from '../../parts/context'
import { Figure } from '../../parts/Figure'
import { Icon } from '../../parts/icons'
import { AnchorLink } from '../../parts/links'
import { Panel } from '../../parts/Panel'

/** The running period's budget: how far it is spent, what it does from when on, and who may change that. */
export function BudgetPanel({ tenant, costs }: { tenant: string; costs: Costs }) {
  const budget = budgetOfCosts(costs)
  const mayWrite = useMay('models:write')
  return (
    <Panel title="Budget" note={`${day(budget.start)} to ${day(budget.end)} (UTC); the foundation model’s share stands outside it`} aside={<ChangeButton tenant={tenant} />}>
      {amount(budget.amount) > 0 ? <Standing tenant={tenant} budget={budget} mayWrite={mayWrite} /> : (
        <Text size="sm">No budget is set for this period, so no run starts. {mendNone(mayWrite)}</Text>
      )}
    </Panel>
  )
}

function Standing({ tenant, budget, mayWrite }: { tenant: string; budget: Budget; mayWrite: boolean }) {
  const now = taken(budget)
  const show = (value: string) => money(value, budget.currency)
  return (
    <Stack gap="md">
      {now ? (
        <Alert variant="light" color="orange" p="xs" icon={<Icon name="warn" size={16} />} role="status">
          <b>{now}</b> {mend(budget, mayWrite)} {holds(budget) ? <WaitingLink tenant={tenant} /> : null}
        </Alert>
      ) : null}
      <BudgetMeter budget={budget} />
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }}>
        <Figure label="Budget">{show(budget.amount)}</Figure>
        <Figure label="Spent" hint="Training and measurement of this period.">{show(budget.spent)}</Figure>
        <Figure label="Reserved by runs" hint="Held back for partitions being trained now, so that spent + reserved never passes the budget.">{show(budget.reserved)}</Figure>
        <Figure label="Left" sub={holds(budget) && left(budget) > 0 ? 'held back by what the budget does' : null}>{show(String(left(budget)))}</Figure>
        <Figure label="Forecast" sub={holds(budget) ? 'if no run waited' : 'by the period’s end'} hint="Spent by the period’s end if spending goes on at the pace so far; never more than the budget.">{show(budget.forecast)}</Figure>
      </SimpleGrid>
      {now ? null : <Text size="sm"><b>{rule(budget)}</b> {distance(budget)} <span className="quiet">Platform administrators set the budget and what it does.</span></Text>}
    </Stack>
  )
}

function WaitingLink({ tenant }: { tenant: string }) {
  return useMay('runs:read') ? <AnchorLink to="/t/$tenant/runs" params={{ tenant }} search={{ state: 'queued' }} size="sm" underline="always">Runs that wait</AnchorLink> : null
}

/** For platform administrators: the way to the budget's page of the operators' admin, a process apart. */
function ChangeButton({ tenant }: { tenant: string }) {
  const me = useQuery(sessionQuery).data
  if (!me?.user.is_platform_admin) return null
  return <Button component="a" href={`${me.admin_origin}/admin/budgets/budget/?q=${tenant}`} size="compact-sm" variant="default">Change the budget…</Button>
}

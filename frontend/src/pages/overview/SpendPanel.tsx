import { Group, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Overview } from '../../api/types'
import { budgetOfOverview, distance, holds, rule } from '../../format/budget'
import { amount, money } from '../../format/money'
import { BudgetMeter } from '../../parts/BudgetMeter'
import { AnchorLink } from '../../parts/links'
import { Hint } from '../../parts/Hint'
import { Panel } from '../../parts/Panel'

/** Spend of the period against the budget; measurement and the FM's share are lines of their own. */
export function SpendPanel({ tenant, data }: { tenant: string; data: Overview }) {
  const { spend } = data
  const budget = amount(spend.budget)
  const held = budgetOfOverview(data)
  const over = budget > 0 && amount(spend.forecast) > budget
  const show = (value: string | null) => money(value, spend.currency)
  return (
    <Panel title="Spend this period" note={budget > 0 ? `against a budget of ${show(spend.budget)}` : 'no budget is set for this period'} aside={<AnchorLink to="/t/$tenant/costs" params={{ tenant }} size="sm">Ledger</AnchorLink>}>
      <Stack gap="xs">
        {budget > 0 ? <BudgetMeter budget={held} /> : null}
        {budget > 0 ? <Text size="sm" className={holds(held) ? 'bad' : 'quiet'}>{held.acts ? <b>In force now: </b> : null}{rule(held)} {distance(held)}</Text> : null}
        <Row label="Spent" value={show(spend.spent)} strong />
        <Row label="of which measurement" value={show(spend.measurement)} indent hint="The control arm: the same model trained without the foundation model, so that lift can be measured." />
        <Row label="Reserved by runs" value={show(spend.reserved)} hint="Held back for partitions being trained now, so that spent + reserved never passes the budget." />
        <Row label="Forecast to the period’s end" value={show(spend.forecast)} tone={over ? 'bad' : ''} hint={over ? 'At this pace the budget runs out before the period ends. Ask the platform admin for more, or pause a model.' : 'If spending goes on at this pace.'} />
        <Row label="Share of the FM’s cost" value={show(spend.fm_share)} divided hint="Training and scoring of the foundation model, shared by rows labelled. A line of its own, outside the budget’s hard limit." />
      </Stack>
    </Panel>
  )
}

interface RowProps { label: string; value: string; hint?: ReactNode; strong?: boolean; indent?: boolean; divided?: boolean; tone?: string }

function Row({ label, value, hint, strong = false, indent = false, divided = false, tone = '' }: RowProps) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs" style={divided ? { borderTop: '1px solid var(--line)', paddingTop: 8 } : undefined}>
      <Group gap={2} wrap="nowrap" pl={indent ? 'md' : 0}>
        <Text size="sm" className={indent ? 'quiet' : ''}>{label}</Text>
        {hint ? <Hint about={label}>{hint}</Hint> : null}
      </Group>
      <Text size="sm" className={`num ${tone}`} fw={strong || tone ? 650 : 450}>{value}</Text>
    </Group>
  )
}

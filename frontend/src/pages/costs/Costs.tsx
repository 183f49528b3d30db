import { SimpleGrid, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { costsQuery } from '../../api/queries'
import type { Costs } from '../../api/types'
import { money } from '../../format/money'
import { day } from '../../format/time'
import { useTenant } from '../../parts/context'
import { Figure } from '../../parts/Figure'
import { PageHead } from '../../parts/PageHead'
import { Resource } from '../../states/Resource'
import { BudgetPanel } from './BudgetPanel'
import { ByModel } from './ByModel'
import { FmShare } from './FmShare'
import { Ledger } from './Ledger'

const KIND_NAMES: Record<string, string> = {
  training: 'Training',
  measurement: 'Measurement',
  fm_share: 'FM share',
  lost: 'Lost work',
}

const KIND_HINTS: Record<string, string> = {
  training: 'The treatment arm: the models you serve.',
  measurement: 'The control arm, which makes lift measurable.',
  fm_share: 'Your part of the foundation model’s cost, by rows labelled; outside the budget’s hard limit.',
  lost: 'Work lost to a user’s fault; work lost to the platform is not charged.',
}

export function CostsPage() {
  const tenant = useTenant()
  return (
    <>
      <PageHead title="Costs" tab="Costs" sub="What was charged, for what; every figure is a sum of ledger lines" />
      <Stack gap="md">
        <Resource query={useQuery(costsQuery(tenant))} rows={2}>{(costs) => <Totals tenant={tenant} costs={costs} />}</Resource>
        <Ledger tenant={tenant} />
      </Stack>
    </>
  )
}

function Totals({ tenant, costs }: { tenant: string; costs: Costs }) {
  return (
    <Stack gap="md">
      <BudgetPanel tenant={tenant} costs={costs} />
      <section className="panel" aria-label="Totals" style={{ padding: 'var(--mantine-spacing-md)' }}>
        <Text size="sm" className="quiet" mb="xs">Period {day(costs.period.start)} to {day(costs.period.end)} (UTC)</Text>
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }}>
          <Figure label="In all" size="lg">{money(costs.total, costs.currency)}</Figure>
          {costs.kinds.map(({ kind, amount }) => <Figure key={kind} label={KIND_NAMES[kind] ?? kind} hint={KIND_HINTS[kind]}>{money(amount, costs.currency)}</Figure>)}
        </SimpleGrid>
      </section>
      <div className="grid">
        <ByModel tenant={tenant} costs={costs} className="w7" />
        <FmShare costs={costs} className="w5" />
      </div>
    </Stack>
  )
}

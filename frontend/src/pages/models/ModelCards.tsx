import { Group, Stack, Text } from '@mantine/core'
import type { ModelCard } from '../../api/types'
import { Spark } from '../../charts/Spark'
import { money } from '../../format/money'
import { share } from '../../format/number'
import { useCurrency } from '../../parts/context'
import { AnchorLink } from '../../parts/links'
import { LiftValue } from '../../parts/LiftValue'
import { StateBadge } from '../../parts/StateBadge'

/** The model table on a phone: one card each. */
export function ModelCards({ tenant, models }: { tenant: string; models: ModelCard[] }) {
  const currency = useCurrency()
  return (
    <Stack gap="sm">
      {models.map((model) => (
        <article key={model.id} className="panel" style={{ padding: 14 }}>
          <Group justify="space-between" wrap="nowrap">
            <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: model.id }} fw={650}>{model.name}</AnchorLink>
            <StateBadge state={model.status} />
          </Group>
          <Text size="sm" className="quiet">{model.task} · {model.stream.name}</Text>
          <Group justify="space-between" mt={6} wrap="nowrap">
            <LiftValue lift={model.lift} mark />
            <Spark points={model.spark} />
          </Group>
          <Text size="sm" className="quiet" mt={4}>{money(model.cost, currency)} in all, {money(model.measurement_cost, currency)} of it measurement · {share(model.coverage)} covered</Text>
        </article>
      ))}
    </Stack>
  )
}

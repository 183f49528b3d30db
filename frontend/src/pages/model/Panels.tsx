import { Group, Progress, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Model } from '../../api/types'
import { amount, money, percentOf } from '../../format/money'
import { count, NONE, plural, share } from '../../format/number'
import { duration } from '../../format/time'
import { Command } from '../../parts/Command'
import { useCurrency } from '../../parts/context'
import { Facts } from '../../parts/Facts'
import { Latency, LatencyLimit } from '../../parts/Latency'
import { AnchorLink } from '../../parts/links'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'

const CLIPPED_WARNING = 0.01

export function SupervisionPanel({ model, tenant, className }: { model: Model; tenant: string; className: string }) {
  const { coverage, freshness_seconds, clipped_share, snapshot, gate } = model.supervision
  const clipped = clipped_share !== null && clipped_share > CLIPPED_WARNING
  return (
    <Panel title="Supervision" note="What the foundation model teaches this model with" className={className}>
      <Facts rows={[
        ['Coverage', share(coverage), 'Share of rows that carried a label of the foundation model. Rows without one are trained on ground truth alone.'],
        ['Freshness gap', duration(freshness_seconds), 'How far the labelled rows lie behind the watermark of the snapshot that labelled them.'],
        ['Clipped share', <span key="clipped" className={clipped ? 'bad' : ''}>{share(clipped_share, 2)}{clipped ? ' – lower α' : ''}</span>, 'Labels cut at 1 by label scaling (α) lose ranking information; above 1 % lower α.'],
        ['Gate', gate ? <StateBadge key="gate" state={gate} /> : NONE, 'Whether the FM’s labels are trusted on this stream at present.'],
        ['Snapshot', snapshot ? <AnchorLink key="snapshot" to="/t/$tenant/foundation" params={{ tenant }} size="sm">{snapshot.slice(-8)}</AnchorLink> : NONE, 'Published weights of the foundation model that labelled the newest partition.'],
      ]} />
    </Panel>
  )
}

export function ServingPanel({ model, className }: { model: Model; className: string }) {
  const { parameters, flops, limit_parameters, limit_flops, latency, latency_budget } = model.serving
  return (
    <Panel title="Serving budget" note="The exported model; the foundation model adds nothing to it" className={className}>
      <Stack gap="md">
        <Budget label="Parameters" value={parameters} limit={limit_parameters} />
        <Budget label="FLOPs per row" value={flops} limit={limit_flops} />
        <LatencyLimit budget={latency_budget} />
        <Latency estimates={latency} />
      </Stack>
    </Panel>
  )
}

function Budget({ label, value, limit }: { label: string; value: number; limit: number }) {
  return (
    <div>
      <Group justify="space-between"><Text size="sm">{label}</Text><Text size="sm" className="num"><b>{count(value)}</b> <span className="quiet">of {count(limit)}</span></Text></Group>
      <Progress mt={4} value={percentOf(value, limit)} color={value > limit ? 'red.7' : 'ink.6'} aria-label={`${label}: ${percentOf(value, limit).toFixed(0)} % of the limit`} />
    </div>
  )
}

export function CostPanel({ model, tenant, className }: { model: Model; tenant: string; className: string }) {
  const currency = useCurrency()
  const show = (value: string | null) => money(value, currency)
  const treatment = String(amount(model.cost) - amount(model.measurement_cost))
  return (
    <Panel title="Cost" note="Since the model was registered" className={className} aside={<AnchorLink to="/t/$tenant/costs" params={{ tenant }} size="sm">Ledger</AnchorLink>}>
      <Facts rows={[
        ['Training', show(treatment), 'The treatment arm: the model you serve.'],
        ['Measurement', show(model.measurement_cost), 'The control arm, which makes lift measurable.'],
        ['In all', <b key="all">{show(model.cost)}</b>],
        ['Share of the FM’s cost', show(model.fm_share), 'By rows labelled; a line of its own outside the budget.'],
        ['Per 1 % of NE gained', show(model.cost_per_point), 'Cost divided by lift; “–” while no clear gain is measured.'],
      ]} />
    </Panel>
  )
}

const LINEAGES: Column<Model['lineages'][number]>[] = [
  { label: 'Arm', card: 'title', cell: (lineage) => lineage.arm },
  { label: 'State', card: 'corner', cell: (lineage) => <StateBadge state={lineage.state} /> },
  { label: 'Consumed', right: true, num: true, cell: (lineage) => plural(lineage.partitions, 'partition') },
]

export function LineagePanel({ model, className }: { model: Model; className: string }) {
  return (
    <Panel title="Lineages" note="Continuous courses of training, each partition once" className={className}>
      {model.lineages.length === 0 ? <Text size="sm" className="quiet">Opened with the first partition.</Text> : <DataTable label="Lineages" columns={LINEAGES} rows={model.lineages} id={(_, at) => String(at)} />}
    </Panel>
  )
}

export function SpecPanel({ model }: { model: Model }): ReactNode {
  return <Panel title="Spec" note={`Version ${model.version}, immutable`}><Command label="spec">{JSON.stringify(model.spec, null, 2)}</Command></Panel>
}

import { Stack, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { curveQuery, modelQuery, runsQuery } from '../../api/queries'
import type { Model } from '../../api/types'
import { useMay, useTenant } from '../../parts/context'
import { AnchorLink } from '../../parts/links'
import { StreamName } from '../../parts/StreamName'
import { PageHead } from '../../parts/PageHead'
import { Panel } from '../../parts/Panel'
import { StateBadge } from '../../parts/StateBadge'
import { Resource } from '../../states/Resource'
import { Empty, Loading } from '../../states/States'
import { RunList } from '../runs/RunList'
import { Curves } from './Curves'
import { ModelFigures } from './ModelFigures'
import { PauseButton } from './PauseButton'
import { CostPanel, LineagePanel, ServingPanel, SpecPanel, SupervisionPanel } from './Panels'

const CoursePage = lazy(async () => ({ default: (await import('./course/CoursePage')).CoursePage }))
const LineageView = lazy(async () => ({ default: (await import('./LineageView')).LineageView }))
const CardView = lazy(async () => ({ default: (await import('./CardView')).CardView }))
const TABS = [['results', 'Results'], ['course', 'Versions and aliases'], ['lineage', 'Lineage'], ['card', 'Model card']] as const

/** Everything about one vertical model: what the foundation model gains it, on what evidence, at what cost. */
export function ModelPage() {
  const tenant = useTenant()
  const id = useParams({ from: '/inside/t/$tenant/models/$model', select: (params) => params.model })
  const query = useQuery(modelQuery(tenant, id))
  return <Resource query={query} rows={5} head="Model">{(model) => <Content tenant={tenant} model={model} />}</Resource>
}

function Content({ tenant, model }: { tenant: string; model: Model }) {
  const { tab = 'results' } = useSearch({ from: '/inside/t/$tenant/models/$model' })
  const navigate = useNavigate({ from: '/t/$tenant/models/$model' })
  const shown = TABS.some(([name]) => name === tab) ? tab : 'results'
  return (
    <>
      <PageHead
        title={model.name}
        tab={model.name}
        sub={<>{model.task} on <StreamName tenant={tenant} stream={model.stream} /> · version {model.version} · <StateBadge state={model.status} /></>}
        aside={<PauseButton tenant={tenant} model={model} />}
      />
      <Tabs value={shown} onChange={(name) => void navigate({ search: { tab: name === 'results' || name === null ? undefined : name }, replace: true })} keepMounted={false}>
        <Tabs.List mb="md">{TABS.map(([name, label]) => <Tabs.Tab key={name} value={name}>{label}</Tabs.Tab>)}</Tabs.List>
        <Suspense fallback={<Loading />}>
          <Tabs.Panel value="results"><Results tenant={tenant} model={model} /></Tabs.Panel>
          <Tabs.Panel value="course"><CoursePage tenant={tenant} model={model} /></Tabs.Panel>
          <Tabs.Panel value="lineage"><LineageView tenant={tenant} model={model} /></Tabs.Panel>
          <Tabs.Panel value="card"><CardView tenant={tenant} model={model} /></Tabs.Panel>
        </Suspense>
      </Tabs>
    </>
  )
}

function Results({ tenant, model }: { tenant: string; model: Model }) {
  const curve = useQuery(curveQuery(tenant, model.id))
  const mayRuns = useMay('runs:read')
  return (
    <Stack gap="md">
      <ModelFigures model={model} />
      <Resource query={curve} rows={2}>{(data) => <Curves points={data.partitions} name={model.name} />}</Resource>
      <div className="grid">
        <SupervisionPanel model={model} className="w4" tenant={tenant} />
        <ServingPanel model={model} className="w4" />
        <CostPanel model={model} className="w4" tenant={tenant} />
        <LineagePanel model={model} className="w4" />
        {mayRuns ? <ModelRuns tenant={tenant} model={model} className="w8" /> : null}
      </div>
      <SpecPanel model={model} />
    </Stack>
  )
}

function ModelRuns({ tenant, model, className }: { tenant: string; model: Model; className: string }) {
  const runs = useQuery(runsQuery(tenant, { model: model.id }))
  return (
    <Panel title="Runs of this model" className={className} aside={<AnchorLink to="/t/$tenant/runs" params={{ tenant }} search={{ model: model.id }} size="sm">All</AnchorLink>}>
      <Resource query={runs} isEmpty={(page) => page.results.length === 0} empty={<Empty title="No run yet" icon="runs">The first starts when a partition of {model.stream.name} is sealed.</Empty>}>
        {(page) => <RunList tenant={tenant} runs={page.results.slice(0, 5)} brief />}
      </Resource>
    </Panel>
  )
}

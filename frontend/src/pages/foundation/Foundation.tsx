import { SimpleGrid, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { foundationQuery, modelsQuery } from '../../api/queries'
import type { Foundation } from '../../api/types'
import { minute } from '../../format/time'
import { money } from '../../format/money'
import { useCurrency, useTenant } from '../../parts/context'
import { Figure } from '../../parts/Figure'
import { AnchorLink } from '../../parts/links'
import { PageHead } from '../../parts/PageHead'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { CataloguePanel } from './CataloguePanel'
import { CoveragePanel } from './CoveragePanel'
import { Snapshots } from './Snapshots'
import { TakeBack } from './TakeBack'

export function FoundationPage() {
  const tenant = useTenant()
  return (
    <>
      <PageHead title="Foundation" tab="Foundation" sub="The one shared teacher: it labels your partitions and never serves a user" />
      <Resource query={useQuery(foundationQuery(tenant))} isEmpty={(data) => !data.name} empty={
        <div className="panel"><Empty title="No foundation model teaches your models yet" icon="foundation">Your models train on ground truth alone. Register a model with its foundation_model to have it taught.</Empty></div>
      }>
        {(data) => <Content tenant={tenant} data={data} />}
      </Resource>
    </>
  )
}

function Content({ tenant, data }: { tenant: string; data: Foundation }) {
  const currency = useCurrency()
  const models = useQuery(modelsQuery(tenant))
  return (
    <Stack gap="md">
      <TakeBack data={data} />
      <section className="panel" aria-label="The teacher now" style={{ padding: 'var(--mantine-spacing-md)' }}>
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="lg">
          <Figure label="Foundation model" sub={data.bound ? 'bound to your models' : 'not bound to your models'}>{data.name}</Figure>
          <Figure label="Snapshot in use" sub={data.snapshot ? <>published <When at={data.snapshot.published_at} /></> : 'labels start with the first snapshot that passes the gate'}>{data.snapshot ? data.snapshot.id.slice(-8) : 'none yet'}</Figure>
          <Figure label="Watermark (UTC)" hint="The end of the newest data it has learned from. It labels only partitions that start at or after this time, so nothing leaks from the future." sub={data.snapshot ? 'event time' : null}>{minute(data.snapshot?.watermark)}</Figure>
          <Figure label="Your share of its cost" sub={<AnchorLink to="/t/$tenant/costs" params={{ tenant }} size="sm">how it is computed</AnchorLink>}>{money(data.cost_share, currency)}</Figure>
        </SimpleGrid>
      </section>
      <div className="grid">
        <Snapshots snapshots={data.snapshots} className="w8" />
        <CoveragePanel tenant={tenant} query={models} className="w4" />
      </div>
      <CataloguePanel data={data} />
    </Stack>
  )
}

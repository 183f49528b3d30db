import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { overviewQuery } from '../../api/queries'
import type { Overview as OverviewData } from '../../api/types'
import { useTenant } from '../../parts/context'
import { PageHead } from '../../parts/PageHead'
import { day } from '../../format/time'
import { Resource } from '../../states/Resource'
import { Attention } from './Attention'
import { Headline } from './Headline'
import { LiftPanel } from './LiftPanel'
import { QuotaPanel } from './QuotaPanel'
import { RunsNow } from './RunsNow'
import { SpendPanel } from './SpendPanel'

/** What the tenant gets from the foundation model, what it costs, what is left, what runs, what needs a hand. */
export function Overview() {
  const tenant = useTenant()
  return <Resource query={useQuery(overviewQuery(tenant))} rows={5} head="Overview">{(data) => <Content tenant={tenant} data={data} />}</Resource>
}

function Content({ tenant, data }: { tenant: string; data: OverviewData }) {
  return (
    <>
      <PageHead title={data.tenant.name} tab={data.tenant.name} sub={<>Budget period {day(data.period.start)} to {day(data.period.end)} (UTC)</>} />
      <Stack gap="md">
        <Attention items={data.attention} />
        <Headline tenant={tenant} data={data} />
        <div className="grid">
          <Stack className="w8" gap="md">
            <LiftPanel tenant={tenant} models={data.models} registered={data.quota.models.used} />
            <RunsNow tenant={tenant} runs={data.runs} />
          </Stack>
          <Stack className="w4" gap="md">
            <SpendPanel tenant={tenant} data={data} />
            <QuotaPanel quota={data.quota} />
          </Stack>
        </div>
      </Stack>
    </>
  )
}

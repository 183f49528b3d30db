import { useQuery } from '@tanstack/react-query'
import { streamsQuery } from '../../api/queries'
import { FirstStep } from '../../parts/FirstStep'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { FirstStream, upload } from './FirstStream'

/** The next step for a tenant without runs: a stream, then its first partition. */
export function FirstPartition({ tenant }: { tenant: string }) {
  return <FirstStep permission="streams:write" title="No run yet" icon="runs"><Upload tenant={tenant} /></FirstStep>
}

function Upload({ tenant }: { tenant: string }) {
  return (
    <Resource query={useQuery(streamsQuery(tenant))} rows={2} isEmpty={(page) => page.results.length === 0} empty={<FirstStream tenant={tenant} />}>
      {(page) => (
        <Empty title="No run yet" icon="runs" command={upload(tenant, page.results[0]?.id ?? '')}>
          Runs start by themselves when a stream that has a model gets a sealed partition. Send a Parquet file whose rows lie in [start, end):
        </Empty>
      )}
    </Resource>
  )
}

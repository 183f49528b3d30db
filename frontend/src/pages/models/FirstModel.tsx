import { useQuery } from '@tanstack/react-query'
import { foundationQuery, streamsQuery } from '../../api/queries'
import { FirstStep } from '../../parts/FirstStep'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { FirstStream } from '../data/FirstStream'
import { firstModel } from './firstSpec'

/** The next step for a tenant without models, as one command: first a stream, then a model on it. */
export function FirstModel({ tenant }: { tenant: string }) {
  return <FirstStep permission="models:write" title="No model yet" icon="models"><Register tenant={tenant} /></FirstStep>
}

function Register({ tenant }: { tenant: string }) {
  const teacher = useQuery(foundationQuery(tenant)).data ?? null
  return (
    <Resource query={useQuery(streamsQuery(tenant))} rows={2} isEmpty={(page) => page.results.length === 0} empty={<FirstStream tenant={tenant} />}>
      {(page) => {
        const body = page.results.map((stream) => firstModel(stream, teacher)).find((each) => each !== null)
        return (
          <Empty title="No model yet" icon="models" command={[
            `curl -X POST ${window.location.origin}/api/v1/tenants/${tenant}/models \\`,
            '  -H "Authorization: Bearer $EXFM_TOKEN" -H "Content-Type: application/json" \\',
            `  -d '${JSON.stringify(body ?? {})}'`,
          ].join('\n')}>
            Register a first model on your stream, with the button above or by this command; training starts by itself with the next sealed partition.
          </Empty>
        )
      }}
    </Resource>
  )
}

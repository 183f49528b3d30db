import { Alert, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { tenantKey } from '../../api/queries'
import { bytes, count } from '../../format/number'
import { Facts } from '../../parts/Facts'
import { Latency, LatencyLimit } from '../../parts/Latency'

const PAUSE_MS = 400

/** What a spec would cost to serve, asked anew while it is edited; a refusal is the one that the registration would give. */
export function ServingCheck({ tenant, stream, spec }: { tenant: string; stream: string; spec: Record<string, unknown> | null }) {
  const [wanted] = useDebouncedValue(JSON.stringify(spec), PAUSE_MS)
  const check = useQuery({
    queryKey: [...tenantKey(tenant), 'check', stream, wanted],
    queryFn: ({ signal }) => body(api.POST('/api/v1/tenants/{tenant}/models/check', { params: { path: { tenant } }, body: { stream, spec: JSON.parse(wanted) as Record<string, unknown> }, signal })),
    enabled: spec !== null && stream !== '',
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  })
  if (check.error) return <Alert color="red" variant="light" role="alert" title="This would be refused">{check.error.message} {check.error instanceof Problem ? check.error.mend : ''}</Alert>
  if (!check.data) return <Text size="sm" className="quiet" role="status">The cost of serving appears here.</Text>
  const { parameters, flops, limit_parameters, limit_flops, batch_bytes, latency, latency_budget } = check.data
  return (
    <div role="status" aria-label="Cost of serving">
      <Facts rows={[
        ['Serving parameters', `${count(parameters)} of ${count(limit_parameters)}`],
        ['FLOPs per row', `${count(flops)} of ${count(limit_flops)}`],
        ['Memory of a training step', bytes(batch_bytes), 'Beside the embedding tables.'],
      ]} />
      <LatencyLimit budget={latency_budget} />
      <Latency estimates={latency} />
    </div>
  )
}

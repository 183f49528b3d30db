import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../api/schema'
import { Command } from '../../parts/Command'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { deliveryQuery } from './queries'

const COLUMNS: Column<components['schemas']['DeliveryAttempt']>[] = [
  { label: 'Try', card: 'title', num: true, cell: (attempt) => <><span className="on-card">Try </span>{attempt.number}</> },
  { label: 'When', cell: (attempt) => <When at={attempt.started_at} /> },
  { label: 'Answer', cell: (attempt) => <>{attempt.status ?? attempt.code}<Text size="xs" className="quiet">{attempt.detail || attempt.response}</Text></> },
  { label: 'Took', right: true, num: true, cell: (attempt) => `${attempt.milliseconds} ms` },
]

/** Every attempt of one delivery, and what was sent. */
export function DeliveryLog({ tenant, webhook, delivery }: { tenant: string; webhook: string; delivery: string }) {
  const found = useQuery(deliveryQuery(tenant, webhook, delivery))
  return (
    <Resource query={found} rows={2}>
      {(shown) => (
        <Stack gap="sm">
          <Text size="sm" className="quiet">Event <Text span ff="monospace" size="xs">{shown.event}</Text>: receivers know it again by this id.</Text>
          {shown.log.length === 0 ? <Text size="sm">It has not been tried yet.</Text> : (
            <DataTable label="Attempts" columns={COLUMNS} rows={shown.log} id={(attempt) => String(attempt.number)} />
          )}
          <Command label="data">{JSON.stringify(shown.data, null, 2)}</Command>
        </Stack>
      )}
    </Resource>
  )
}

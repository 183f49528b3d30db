import { Stack, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Command } from '../../parts/Command'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { deliveryQuery } from './queries'

/** Every attempt of one delivery, and what was sent. */
export function DeliveryLog({ tenant, webhook, delivery }: { tenant: string; webhook: string; delivery: string }) {
  const found = useQuery(deliveryQuery(tenant, webhook, delivery))
  return (
    <Resource query={found} rows={2}>
      {(shown) => (
        <Stack gap="sm">
          <Text size="sm" className="quiet">Event <Text span ff="monospace" size="xs">{shown.event}</Text>: receivers know it again by this id.</Text>
          {shown.log.length === 0 ? <Text size="sm">It has not been tried yet.</Text> : (
            <Table fz="sm">
              <Table.Thead><Table.Tr><Table.Th scope="col">Try</Table.Th><Table.Th scope="col">When</Table.Th><Table.Th scope="col">Answer</Table.Th><Table.Th scope="col">Took</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>
                {shown.log.map((attempt) => (
                  <Table.Tr key={attempt.number}>
                    <Table.Td className="num">{attempt.number}</Table.Td>
                    <Table.Td><When at={attempt.started_at} /></Table.Td>
                    <Table.Td>{attempt.status ?? attempt.code}<Text size="xs" className="quiet">{attempt.detail || attempt.response}</Text></Table.Td>
                    <Table.Td className="num">{attempt.milliseconds} ms</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
          <Command label="data">{JSON.stringify(shown.data, null, 2)}</Command>
        </Stack>
      )}
    </Resource>
  )
}

import { Table, Text } from '@mantine/core'
import type { Member } from '../../api/types'

const MAY: Record<string, string> = {
  owner: 'everything in this tenant',
  engineer: 'data, models and runs',
  viewer: 'look, not touch',
  billing: 'costs and ledger',
}

export function Members({ members }: { members: Member[] }) {
  return (
    <Table fz="sm">
      <Table.Thead><Table.Tr><Table.Th scope="col">Who</Table.Th><Table.Th scope="col">Role</Table.Th><Table.Th scope="col">May</Table.Th></Table.Tr></Table.Thead>
      <Table.Tbody>
        {members.map((member) => (
          <Table.Tr key={member.id}>
            <Table.Td>{member.name || member.email}<Text size="xs" className="quiet">{member.email}</Text></Table.Td>
            <Table.Td>{member.role}</Table.Td>
            <Table.Td className="quiet">{MAY[member.role] ?? ''}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

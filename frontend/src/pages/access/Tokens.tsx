import { Button, Table, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import type { Token } from '../../api/types'
import { When } from '../../parts/When'
import { Empty } from '../../states/States'
import { Scroll } from '../../parts/Scroll'

export function Tokens({ tenant, tokens }: { tenant: string; tokens: Token[] }) {
  const revoke = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/tokens/{id}', { params: { path: { tenant, id } } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'tokens'] }),
  })
  if (tokens.length === 0) return <Empty title="No token yet" icon="access">Make one for each program that uploads data or reads results.</Empty>
  return (
    <Scroll label="Tokens, table">
      {revoke.error ? <Text size="sm" className="bad" role="alert">{revoke.error.message}</Text> : null}
      <Table fz="sm" miw={620}>
        <Table.Thead><Table.Tr><Table.Th scope="col">Name</Table.Th><Table.Th scope="col">Begins with</Table.Th><Table.Th scope="col">Scopes</Table.Th><Table.Th scope="col">Last used</Table.Th><Table.Th scope="col">Expires</Table.Th><Table.Th scope="col"><span className="skip">Actions</span></Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {tokens.map((token) => (
            <Table.Tr key={token.id}>
              <Table.Td>{token.name}<Text size="xs" className="quiet">{token.user}</Text></Table.Td><Table.Td><Text span ff="monospace" size="xs">exfm_{token.prefix}_</Text></Table.Td><Table.Td>{token.scopes.join(', ')}</Table.Td>
              <Table.Td>{token.last_used_at ? <When at={token.last_used_at} /> : <span className="quiet">never</span>}</Table.Td>
              <Table.Td>{token.expires_at ? <When at={token.expires_at} /> : <span className="quiet">does not</span>}</Table.Td>
              <Table.Td ta="right">{token.revoked_at ? <span className="quiet">revoked <When at={token.revoked_at} /></span> : <Button size="compact-xs" variant="default" loading={revoke.isPending && revoke.variables === token.id} onClick={() => revoke.mutate(token.id)} aria-label={`Revoke ${token.name}`}>Revoke</Button>}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scroll>
  )
}

import { Button, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import type { Token } from '../../api/types'
import { Confirm } from '../../parts/Confirm'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { Empty } from '../../states/States'

export function Tokens({ tenant, tokens }: { tenant: string; tokens: Token[] }) {
  const [ending, setEnding] = useState<Token | null>(null)
  const revoke = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/tokens/{id}', { params: { path: { tenant, id } } }),
    onSuccess: () => setEnding(null),
    onSettled: () => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'tokens'] }),
  })
  if (tokens.length === 0) return <Empty title="No token yet" icon="access">Make one for each program that uploads data or reads results.</Empty>
  const columns: Column<Token>[] = [
    { label: 'Name', card: 'title', cell: (token) => <>{token.name}<Text size="xs" className="quiet">{token.user}</Text></> },
    { label: 'Begins with', cell: (token) => <Text span ff="monospace" size="xs">exfm_{token.prefix}_</Text> },
    { label: 'Scopes', card: 'more', cell: (token) => token.scopes.join(', ') },
    { label: 'Last used', cell: (token) => (token.last_used_at ? <When at={token.last_used_at} /> : <span className="quiet">never</span>) },
    { label: 'Expires', cell: (token) => (token.expires_at ? <When at={token.expires_at} /> : <span className="quiet">never</span>) },
    { label: 'Actions', card: 'actions', right: true, cell: (token) => (token.revoked_at ? <span className="quiet">revoked <When at={token.revoked_at} /></span> : <Button size="compact-xs" variant="default" onClick={() => { revoke.reset(); setEnding(token) }} aria-label={`Revoke ${token.name}`}>Revoke</Button>) },
  ]
  return (
    <>
      <DataTable label="Tokens" columns={columns} rows={tokens} id={(token) => token.id} narrowest={620} />
      <Confirm title="Revoke this token?" verb="Revoke" opened={ending !== null} busy={revoke.isPending} error={revoke.error} onClose={() => setEnding(null)} onConfirm={() => { if (ending) revoke.mutate(ending.id) }}>
        Programs that use {ending?.name} are refused from their next request on.
      </Confirm>
    </>
  )
}

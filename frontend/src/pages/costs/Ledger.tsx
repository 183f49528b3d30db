import { Button, Group, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ledgerQuery } from '../../api/queries'
import type { LedgerEntry } from '../../api/types'
import { save } from '../../charts/download'
import { csv } from '../../charts/table'
import { money } from '../../format/money'
import { useCurrency } from '../../parts/context'
import { Hint } from '../../parts/Hint'
import { AnchorLink } from '../../parts/links'
import { Pager } from '../../parts/Pager'
import { Panel } from '../../parts/Panel'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { Scroll } from '../../parts/Scroll'

export function Ledger({ tenant }: { tenant: string }) {
  const [cursor, setCursor] = useState<string | undefined>()
  const query = useQuery(ledgerQuery(tenant, cursor))
  const rows = query.data?.results ?? []
  return (
    <Panel title="Ledger" note="Append-only; corrections are lines of their own" aside={
      <Group gap={4} wrap="nowrap">
        <Hint about="the ledger">Reserve holds money back before a partition is trained; settle charges what was used; release gives the rest back; allocate is your share of the foundation model.</Hint>
        <Button size="compact-sm" variant="default" disabled={rows.length === 0} onClick={() => save(new Blob([csv(asTable(rows))], { type: 'text/csv' }), 'ledger.csv')}>CSV</Button>
      </Group>
    }>
      <Resource query={query} isEmpty={(page) => page.results.length === 0} empty={<Empty title="No line yet" icon="costs">The first run writes the first line.</Empty>}>
        {(page) => (
          <>
            <Lines tenant={tenant} rows={page.results} />
            <Pager page={page} onTurn={setCursor} />
          </>
        )}
      </Resource>
    </Panel>
  )
}

function asTable(rows: LedgerEntry[]) {
  return {
    columns: ['time (UTC)', 'kind', 'line', 'amount', 'run', 'note'],
    rows: rows.map((row) => [row.created_at, row.kind, row.line ?? '', row.amount, row.run, row.note]),
  }
}

function Lines({ tenant, rows }: { tenant: string; rows: LedgerEntry[] }) {
  const currency = useCurrency()
  return (
    <Scroll label="Ledger lines">
      <Table fz="sm" miw={620}>
        <Table.Thead><Table.Tr><Table.Th scope="col">When</Table.Th><Table.Th scope="col">Kind</Table.Th><Table.Th scope="col">For</Table.Th><Table.Th scope="col" ta="right">Amount</Table.Th><Table.Th scope="col">Run</Table.Th><Table.Th scope="col">Note</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.id}>
              <Table.Td><When at={row.created_at} /></Table.Td><Table.Td>{row.kind}</Table.Td><Table.Td>{(row.line ?? '').replace('_', ' ')}</Table.Td>
              <Table.Td ta="right" className="num">{money(row.amount, currency)}</Table.Td>
              <Table.Td>{row.run ? <AnchorLink to="/t/$tenant/runs/$run" params={{ tenant, run: row.run }} size="sm">{row.run.slice(-8)}</AnchorLink> : '–'}</Table.Td>
              <Table.Td><Text size="sm" className="quiet">{row.note}</Text></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scroll>
  )
}

import { Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ledgerQuery } from '../../api/queries'
import type { LedgerEntry } from '../../api/types'
import { save } from '../../charts/download'
import { csv } from '../../charts/table'
import { money } from '../../format/money'
import { NONE } from '../../format/number'
import { useCurrency, useMay } from '../../parts/context'
import { Hint } from '../../parts/Hint'
import { AnchorLink } from '../../parts/links'
import { Pager } from '../../parts/Pager'
import { Panel } from '../../parts/Panel'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { everyLedgerLine } from './queries'

export function Ledger({ tenant }: { tenant: string }) {
  const [cursor, setCursor] = useState<string | undefined>()
  const query = useQuery(ledgerQuery(tenant, cursor))
  const download = useMutation({
    mutationFn: async () => save(new Blob([csv(asTable(await everyLedgerLine(tenant)))], { type: 'text/csv' }), 'ledger.csv'),
  })
  return (
    <Panel title="Ledger" note="Append-only; corrections are lines of their own" aside={
      <Group gap={4} wrap="nowrap">
        <Hint about="the ledger">Reserve holds money back before a partition is trained; settle charges what was used; release gives the rest back; allocate is your share of the foundation model.</Hint>
        <Button size="compact-sm" variant="default" disabled={!query.data?.results.length} loading={download.isPending} onClick={() => download.mutate()}>CSV</Button>
      </Group>
    }>
      {download.error ? <Text size="sm" className="bad" role="alert" mb="xs">{download.error.message}</Text> : null}
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
  const mayOpen = useMay('runs:read')
  const columns: Column<LedgerEntry>[] = [
    { label: 'When', card: 'note', cell: (row) => <When at={row.created_at} /> },
    { label: 'Kind', card: 'title', cell: (row) => <>{row.kind}<span className="on-card quiet"> {lineOf(row)}</span></> },
    { label: 'For', only: 'table', cell: lineOf },
    { label: 'Amount', card: 'corner', right: true, num: true, cell: (row) => money(row.amount, currency) },
    { label: 'Run', card: 'more', cell: (row) => runOf(row, tenant, mayOpen) },
    { label: 'Note', card: 'more', cell: (row) => row.note && <span className="quiet">{row.note}</span> },
  ]
  return <DataTable label="Ledger lines" columns={columns} rows={rows} id={(row) => row.id} narrowest={620} />
}

const lineOf = ({ line }: LedgerEntry) => (line ?? '').replace('_', ' ')

function runOf({ run }: LedgerEntry, tenant: string, mayOpen: boolean) {
  if (!run) return NONE
  return mayOpen ? <AnchorLink to="/t/$tenant/runs/$run" params={{ tenant, run }} size="sm">{run.slice(-8)}</AnchorLink> : run.slice(-8)
}

import { Button, Group, Table, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { auditQuery, type AuditWanted, given } from '../../api/queries'
import type { AuditEntry } from '../../api/types'
import { useTenant } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { PageHead } from '../../parts/PageHead'
import { Pager } from '../../parts/Pager'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { targetName, targetWords } from './targets'

const FIELDS = [
  ['actor', 'Who', 'part of an address', 200],
  ['action', 'Action', 'token. or member.role', 200],
  ['q', 'Text', 'in values, reason or ids', 200],
] as const satisfies readonly (readonly [keyof AuditWanted, string, string, number])[]

const DAYS = [['since', 'From'], ['until', 'Before']] as const

/** Every change in the tenant: who, what, before and after. Filters live in the address. */
export function Audit() {
  const tenant = useTenant()
  const wanted = useSearch({ from: '/inside/t/$tenant/audit' })
  const navigate = useNavigate({ from: '/t/$tenant/audit' })
  const [cursor, setCursor] = useState<string | undefined>()
  const log = useQuery(auditQuery(tenant, wanted, cursor))
  const set = (change: AuditWanted) => {
    setCursor(undefined)
    void navigate({ search: (previous) => ({ ...previous, ...change }), replace: true })
  }
  const later = useDebouncedCallback(set, 300)
  const file = (format: string) => `/api/v1/tenants/${tenant}/audit/export?${new URLSearchParams({ ...given(wanted), format }).toString()}`
  const filtered = Object.keys(given(wanted)).length > 0
  return (
    <>
      <PageHead title="Audit log" tab="Audit log" sub="Every change in this tenant; nobody can alter or remove a line" aside={
        <>
          <Button component="a" href={file('csv')} download variant="default" size="compact-sm" leftSection={<Icon name="save" size={14} />}>CSV</Button>
          <Button component="a" href={file('jsonl')} download variant="default" size="compact-sm" leftSection={<Icon name="save" size={14} />}>JSON lines</Button>
        </>
      } />
      <Group gap="xs" mb="sm" role="search" align="flex-end">
        {FIELDS.map(([name, label, hint, width]) => <TextInput key={name} label={label} placeholder={hint} w={{ base: '100%', xs: width }} defaultValue={wanted[name] ?? ''} onChange={(event) => later({ [name]: event.currentTarget.value || undefined })} />)}
        {DAYS.map(([name, label]) => <TextInput key={name} label={`${label} (UTC)`} type="date" w={150} value={wanted[name]?.slice(0, 10) ?? ''} onChange={(event) => set({ [name]: event.currentTarget.value ? `${event.currentTarget.value}T00:00:00Z` : undefined })} />)}
      </Group>
      <section className="panel" aria-label="Changes" style={{ padding: 'var(--mantine-spacing-sm)' }}>
        <Resource query={log} isEmpty={(page) => page.results.length === 0} empty={
          filtered ? <Empty title="No change matches" icon="search">Clear a filter to see the others.</Empty> : <Empty title="Nothing has changed yet" icon="table">The first change writes the first line.</Empty>
        }>
          {(page) => (
            <>
              <Entries entries={page.results} />
              <Pager page={page} onTurn={setCursor} />
            </>
          )}
        </Resource>
      </section>
    </>
  )
}

function Entries({ entries }: { entries: AuditEntry[] }) {
  const [open, setOpen] = useState<string | null>(null)
  const columns: Column<AuditEntry>[] = [
    { label: 'When', card: 'corner', cell: (entry) => <When at={entry.created_at} /> },
    { label: 'Who', cell: (entry) => <>{entry.actor}{entry.token_prefix ? <Text size="xs" className="quiet">token exfm_{entry.token_prefix}_</Text> : null}</> },
    { label: 'Action', card: 'title', cell: (entry) => <Text span ff="monospace" size="xs">{entry.action}</Text> },
    { label: 'On', most: 260, cell: (entry) => <Target entry={entry} /> },
    { label: 'Reason', most: 220, cell: (entry) => entry.reason && <span className="quiet">{entry.reason}</span> },
    { label: 'Details', card: 'actions', cell: ({ id, action }) => <Button size="compact-xs" variant="default" aria-expanded={open === id} onClick={() => setOpen(open === id ? null : id)} aria-label={`Details of ${action}`}>{open === id ? 'Less' : 'Details'}</Button> },
  ]
  return <DataTable label="Changes" columns={columns} rows={entries} id={(entry) => entry.id} narrowest={760} below={(entry) => (open === entry.id ? <Details entry={entry} /> : null)} />
}

/** What was changed: its kind and name, or the end of its id where the entry carries no name. */
function Target({ entry }: { entry: AuditEntry }) {
  const name = targetName(entry)
  return (
    <>
      {targetWords(entry.target_type)}
      <Text size="xs" className={name ? 'quiet' : 'quiet num'} title={entry.target_id} style={{ overflowWrap: 'anywhere' }}>{name ?? `…${entry.target_id.slice(-8)}`}</Text>
    </>
  )
}

function Details({ entry }: { entry: AuditEntry }) {
  const before = (entry.before ?? {}) as Record<string, unknown>
  const after = (entry.after ?? {}) as Record<string, unknown>
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const shown = (value: unknown) => (value === undefined || value === null ? '–' : typeof value === 'string' ? value : JSON.stringify(value))
  return (
    <div className="well" style={{ padding: 'var(--mantine-spacing-sm)' }}>
      {names.length > 0 ? (
        <Table fz="xs" withRowBorders={false}>
          <Table.Thead><Table.Tr><Table.Th scope="col">Value</Table.Th><Table.Th scope="col">Before</Table.Th><Table.Th scope="col">After</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>{names.map((name) => <Table.Tr key={name}><Table.Th scope="row" fw={500}>{name}</Table.Th><Table.Td style={{ overflowWrap: 'anywhere' }}>{shown(before[name])}</Table.Td><Table.Td style={{ overflowWrap: 'anywhere' }}>{shown(after[name])}</Table.Td></Table.Tr>)}</Table.Tbody>
        </Table>
      ) : null}
      <Text size="xs" className="quiet" style={{ overflowWrap: 'anywhere' }}>{entry.target_type} {entry.target_id} · request {entry.request_id || '–'} · {entry.created_at}</Text>
    </div>
  )
}

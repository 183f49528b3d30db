import { Button, Group, Progress, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { queryClient, tenantKey } from '../../api/queries'
import { bytes, count, plural } from '../../format/number'
import { Confirm } from '../../parts/Confirm'
import { Icon } from '../../parts/icons'
import { Pager } from '../../parts/Pager'
import { StateBadge } from '../../parts/StateBadge'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'
import { When } from '../../parts/When'
import { Resource } from '../../states/Resource'
import { type Export, exportsQuery, isOpen } from './exportsQuery'
import { NewExport } from './NewExport'

const NAMES = { rows: 'records', partitions: 'data files', models: 'weights' } as const

/** Exports of the tenant: started, watched, downloaded, removed. */
export function Exports({ tenant }: { tenant: string }) {
  const [cursor, setCursor] = useState<string>()
  const exports = useQuery(exportsQuery(tenant, cursor))
  const [leaving, setLeaving] = useState<Export>()
  const remove = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tenants/{tenant}/exports/{export_id}', { params: { path: { tenant, export_id: id } } }),
    onSuccess: () => setLeaving(undefined),
    onSettled: () => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'exports'] }),
  })
  const columns: Column<Export>[] = [
    { label: 'Asked for', card: 'title', cell: (row) => <><When at={row.created_at} /><Text size="xs" className="quiet">{row.requested_by ?? 'an owner who has left'}</Text></> },
    { label: 'Holds', cell: (row) => row.include.map((part) => NAMES[part]).join(', ') },
    { label: 'State', only: 'table', most: 320, cell: (row) => <><StateBadge state={row.state} /><State row={row} /></> },
    { label: 'State', only: 'card', card: 'corner', cell: (row) => <StateBadge state={row.state} /> },
    { label: 'What became of it', only: 'card', card: 'note', cell: (row) => <State row={row} /> },
    { label: 'Size', cell: (row) => (isOpen(row) ? <Written row={row} /> : row.bytes === null ? <span className="quiet">–</span> : <Facts row={row} />) },
    { label: 'Actions', card: 'actions', cell: (row) => <Actions tenant={tenant} row={row} onRemove={() => { remove.reset(); setLeaving(row) }} /> },
  ]
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Title order={3}>Exports</Title>
        <NewExport tenant={tenant} busy={exports.data?.results.some(isOpen) ?? false} />
      </Group>
      <Resource query={exports} rows={1}>
        {(page) => page.results.length === 0 ? <Text size="sm" className="quiet">None yet. An export holds the records, and if you like the data files and the models’ weights.</Text> : (
          <>
            <DataTable label="Exports" columns={columns} rows={page.results} id={(row) => row.id} narrowest={640} />
            <Pager page={page} onTurn={setCursor} />
          </>
        )}
      </Resource>
      <Confirm title={leaving && isOpen(leaving) ? 'Stop this export?' : 'Delete this export?'} verb={leaving && isOpen(leaving) ? 'Stop it' : 'Delete it'} opened={leaving !== undefined} busy={remove.isPending} error={remove.error} onClose={() => setLeaving(undefined)} onConfirm={() => { if (leaving) remove.mutate(leaving.id) }}>
        Its file is removed at once. The tenant’s data stays as it is, and another export can be asked for.
      </Confirm>
    </Stack>
  )
}

function Actions({ tenant, row, onRemove }: { tenant: string; row: Export; onRemove: () => void }) {
  return (
    <div className="actions">
      {row.state === 'done' ? <Button component="a" href={`/api/v1/tenants/${tenant}/exports/${row.id}/download`} download size="compact-xs" variant="default" leftSection={<Icon name="save" size={14} />}>Download</Button> : null}
      <Button size="compact-xs" variant="default" onClick={onRemove}>{isOpen(row) ? 'Stop' : 'Delete'}</Button>
    </div>
  )
}

/** Why there is no file, until when there is one, and what it lacks. */
function State({ row }: { row: Export }) {
  if (row.error) return <Text size="xs" mt={4}>{row.error.message} {row.error.mend}</Text>
  if (row.state !== 'done') return null
  return (
    <>
      <Text size="xs" className="quiet" mt={4}>removed <When at={row.expires_at} /></Text>
      {row.missing > 0 ? <Text size="xs" className="bad">{plural(row.missing, 'file was', 'files were')} gone or damaged; manifest.json names {row.missing === 1 ? 'it' : 'them'}.</Text> : null}
    </>
  )
}

function Written({ row }: { row: Export }) {
  const whole = Math.max(row.expected_bytes, row.written_bytes)
  const percent = whole === 0 ? 0 : (100 * row.written_bytes) / whole
  return (
    <div style={{ minWidth: 120 }}>
      <Progress value={percent} size={8} animated={row.state === 'running'} color="ink.6" aria-label={`${percent.toFixed(0)} % written`} />
      <Text size="xs" className="quiet num" mt={3}>{bytes(row.written_bytes)}{row.expected_bytes > 0 ? ` of some ${bytes(row.expected_bytes)}` : ''}</Text>
    </div>
  )
}

function Facts({ row }: { row: Export }) {
  return (
    <>
      <span className="num">{bytes(row.bytes)}</span>
      <Text size="xs" className="quiet num">{plural(row.files ?? 0, 'file')}, {count(row.rows)} records</Text>
      {row.sha256 ? <Text size="xs" className="quiet" ff="monospace" title={row.sha256}>sha256 {row.sha256.slice(0, 12)}…</Text> : null}
    </>
  )
}

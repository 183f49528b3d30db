import { Button, Group, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../../api/client'
import type { Model } from '../../../api/types'
import { bytes } from '../../../format/number'
import { minute } from '../../../format/time'
import { Confirm } from '../../../parts/Confirm'
import { useMay } from '../../../parts/context'
import { Pager } from '../../../parts/Pager'
import { Panel } from '../../../parts/Panel'
import type { Column } from '../../../parts/table/columns'
import { DataTable } from '../../../parts/table/DataTable'
import { When } from '../../../parts/When'
import { Resource } from '../../../states/Resource'
import { aliasesQuery, type AliasName, type Checkpoint, checkpointsQuery, modelChanged, setAlias } from '../queries'
import { place } from './Aliases'

type Act = AliasName | 'restart'

/** What each arm had learned at a moment; an alias may point there, and training may start again from there. */
export function Checkpoints({ tenant, model }: { tenant: string; model: Model }) {
  const mayWrite = useMay('models:write')
  const [cursor, setCursor] = useState<string | undefined>()
  const [asked, setAsked] = useState<{ act: Act; checkpoint: Checkpoint } | null>(null)
  const [opened, { open, close }] = useDisclosure()
  const ask = (act: Act, checkpoint: Checkpoint) => {
    setAsked({ act, checkpoint })
    open()
  }
  const paused = model.status === 'paused'
  const columns: Column<Checkpoint>[] = [
    { label: 'Learned up to (UTC)', card: 'title', num: true, cell: (checkpoint) => minute(checkpoint.position) },
    { label: 'Version', num: true, cell: (checkpoint) => checkpoint.version },
    { label: 'Arm', card: 'corner', cell: (checkpoint) => checkpoint.arm },
    { label: 'Size', right: true, num: true, card: 'more', cell: (checkpoint) => bytes(checkpoint.bytes) },
    { label: 'SHA-256', card: 'more', cell: (checkpoint) => <Text span size="xs" ff="monospace" title={checkpoint.sha256}>{checkpoint.sha256.slice(0, 12)}</Text> },
    { label: 'Written', cell: (checkpoint) => <When at={checkpoint.created_at} /> },
    ...(mayWrite ? [{ label: 'Actions', card: 'actions', cell: (checkpoint) => (
      <Group gap={6} wrap="nowrap" justify="flex-end">
        <Button size="compact-xs" variant="default" onClick={() => ask('serving', checkpoint)}>Serve</Button>
        <Button size="compact-xs" variant="default" onClick={() => ask('candidate', checkpoint)}>Candidate</Button>
        <Button size="compact-xs" variant="default" disabled={!paused || checkpoint.version !== model.version} onClick={() => ask('restart', checkpoint)}>Restart</Button>
      </Group>
    ) }] satisfies Column<Checkpoint>[] : []),
  ]
  return (
    <Panel title="Checkpoints" note={`Newest first. ${paused ? 'Restart goes back to one: what came after is learned anew.' : 'Pause the model to restart it from one.'}`}>
      <Resource query={useQuery(checkpointsQuery(tenant, model.id, cursor))} isEmpty={(page) => page.results.length === 0} empty={<Text size="sm" className="quiet">The first is written with the first partition.</Text>}>
        {(page) => (
          <>
            <DataTable label="Checkpoints" columns={columns} rows={page.results} id={(checkpoint) => checkpoint.id} narrowest={760} tall={420} />
            <Pager page={page} onTurn={setCursor} />
          </>
        )}
      </Resource>
      {asked ? <Ask key={`${asked.act} ${asked.checkpoint.id}`} tenant={tenant} model={model} act={asked.act} checkpoint={asked.checkpoint} opened={opened} onClose={close} /> : null}
    </Panel>
  )
}

function Ask({ tenant, model, act, checkpoint, opened, onClose }: { tenant: string; model: Model; act: Act; checkpoint: Checkpoint; opened: boolean; onClose: () => void }) {
  const aliases = useQuery(aliasesQuery(tenant, model.id)).data?.results
  const [note, setNote] = useState('')
  const path = { tenant, model_id: model.id }
  const change = useMutation({
    mutationFn: async () => {
      if (act === 'restart') await api.POST('/api/v1/tenants/{tenant}/models/{model_id}/restart', { params: { path }, body: { checkpoint: checkpoint.id } })
      else await setAlias(tenant, model.id, { alias: act, shown: aliases?.find((each) => each.alias === act), note }, checkpoint.id)
    },
    onSuccess: onClose,
    onSettled: () => modelChanged(tenant),
  })
  const restart = act === 'restart'
  return (
    <Confirm title={restart ? 'Restart from this checkpoint?' : `Point ${act} here?`} verb={restart ? 'Restart' : `Point ${act} here`} danger={restart} opened={opened} busy={change.isPending} error={change.error} onClose={onClose} onConfirm={() => change.mutate()}>
      <Text size="sm" mb="sm">{place(checkpoint)}. {restart ? 'Both arms that stood there go on from it in new lineages; the present lineages end and stay readable.' : 'Where it pointed before stays in its history.'}</Text>
      {restart ? null : <TextInput label="Why" maxLength={400} value={note} onChange={(event) => setNote(event.currentTarget.value)} />}
    </Confirm>
  )
}

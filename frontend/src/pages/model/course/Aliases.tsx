import { Button, Group, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Model } from '../../../api/types'
import { minute } from '../../../format/time'
import { Confirm } from '../../../parts/Confirm'
import { useMay } from '../../../parts/context'
import { Panel } from '../../../parts/Panel'
import type { Column } from '../../../parts/table/columns'
import { DataTable } from '../../../parts/table/DataTable'
import { When } from '../../../parts/When'
import { Resource } from '../../../states/Resource'
import { type Alias, aliasesQuery, aliasHistoryQuery, type AliasName, type Checkpoint, modelChanged, rollBackAlias } from '../queries'

const NAMES: AliasName[] = ['serving', 'candidate']

/** A checkpoint in a few words. */
export const place = (checkpoint: Checkpoint | null) => (checkpoint ? `version ${checkpoint.version}, ${checkpoint.arm}, up to ${minute(checkpoint.position)} UTC` : 'nowhere')

/** Names that point at a checkpoint: where they point, how they came there, and the way back. */
export function Aliases({ tenant, model, className }: { tenant: string; model: Model; className: string }) {
  const [history, { toggle }] = useDisclosure()
  return (
    <Panel title="Aliases" note="Names that your servers follow; they point at a checkpoint, set below" className={className} aside={<Button size="compact-sm" variant="default" aria-expanded={history} onClick={toggle}>History</Button>}>
      <Resource query={useQuery(aliasesQuery(tenant, model.id))} rows={1}>
        {(page) => NAMES.map((name) => <Row key={name} tenant={tenant} model={model} name={name} alias={page.results.find((each) => each.alias === name)} />)}
      </Resource>
      {history ? <History tenant={tenant} model={model} /> : null}
    </Panel>
  )
}

function Row({ tenant, model, name, alias }: { tenant: string; model: Model; name: AliasName; alias: Alias | undefined }) {
  const mayWrite = useMay('models:write')
  const [opened, { open, close }] = useDisclosure()
  const [note, setNote] = useState('')
  const back = useMutation({
    mutationFn: () => rollBackAlias(tenant, model.id, { alias: name, shown: alias, note }),
    onSuccess: close,
    onSettled: () => modelChanged(tenant),
  })
  return (
    <Group justify="space-between" py={6} gap="sm" wrap="nowrap">
      <div>
        <Text size="sm" fw={600}>{name}</Text>
        <Text size="sm" className="quiet">{alias ? <>{place(alias.checkpoint)} · {alias.moved_by}, <When at={alias.moved_at} />{alias.note ? ` · ${alias.note}` : ''}</> : 'points nowhere'}</Text>
      </div>
      {mayWrite && alias && alias.number > 1 ? <Button size="compact-sm" variant="default" aria-label={`Roll back ${name}`} onClick={() => { back.reset(); setNote(''); open() }}>Roll back</Button> : null}
      <Confirm title={`Roll ${name} back?`} verb="Roll back" opened={opened} busy={back.isPending} error={back.error} onClose={close} onConfirm={() => back.mutate()}>
        <Text size="sm" mb="sm">It points again at what it pointed at before; its history stays.</Text>
        <TextInput label="Why" maxLength={400} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      </Confirm>
    </Group>
  )
}

const MOVES: Column<Alias>[] = [
  { label: 'When', card: 'corner', cell: (move) => <When at={move.moved_at} /> },
  { label: 'Alias', card: 'title', cell: (move) => move.alias },
  { label: 'Points at', card: 'note', cell: (move) => <>{place(move.checkpoint)}{move.back_to ? <Text size="xs" className="quiet">back to move {move.back_to}</Text> : null}</> },
  { label: 'Who', cell: (move) => move.moved_by },
  { label: 'Why', cell: (move) => move.note && <span className="quiet">{move.note}</span> },
]

function History({ tenant, model }: { tenant: string; model: Model }) {
  return (
    <Resource query={useQuery(aliasHistoryQuery(tenant, model.id))} rows={2} isEmpty={(page) => page.results.length === 0} empty={<Text size="sm" className="quiet">No alias has moved yet.</Text>}>
      {(page) => <DataTable label="History of aliases" columns={MOVES} rows={page.results} id={(move) => `${move.alias} ${move.number}`} narrowest={560} tall={300} />}
    </Resource>
  )
}

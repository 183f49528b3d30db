import { Alert, Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api } from '../../../api/client'
import { Problem } from '../../../api/problem'
import type { Model } from '../../../api/types'
import { count } from '../../../format/number'
import { useMay } from '../../../parts/context'
import { Panel } from '../../../parts/Panel'
import type { Column } from '../../../parts/table/columns'
import { DataTable } from '../../../parts/table/DataTable'
import { When } from '../../../parts/When'
import { Resource } from '../../../states/Resource'
import { ServingCheck } from '../../models/ServingCheck'
import { modelChanged, type Version, versionsQuery } from '../queries'

const COLUMNS: Column<Version>[] = [
  { label: 'Version', card: 'title', num: true, cell: (version) => <><span className="on-card">Version </span>{version.number}</> },
  { label: 'Made', cell: (version) => <When at={version.created_at} /> },
  { label: 'Parameters', right: true, num: true, cell: (version) => count(version.serving_parameters) },
  { label: 'FLOPs per row', right: true, num: true, cell: (version) => count(version.serving_flops) },
  { label: 'Spec SHA-256', card: 'more', cell: (version) => <Text span size="xs" ff="monospace" title={version.sha256}>{version.sha256.slice(0, 12)}</Text> },
]

/** Immutable specs, newest first. A new one starts untrained, in lineages of its own. */
export function Versions({ tenant, model }: { tenant: string; model: Model }) {
  const mayWrite = useMay('models:write')
  const [opened, { open, close }] = useDisclosure()
  const paused = model.status === 'paused'
  return (
    <Panel title="Versions" note={paused ? 'Immutable specs; a new one starts untrained' : 'Immutable specs. Pause the model to give it a new one.'} aside={mayWrite ? <Button size="compact-sm" disabled={!paused} onClick={open}>New version</Button> : null}>
      <Resource query={useQuery(versionsQuery(tenant, model.id))} rows={1}>
        {(page) => <DataTable label="Versions" columns={COLUMNS} rows={page.results} id={(version) => version.id} narrowest={560} tall={300} />}
      </Resource>
      <Modal opened={opened} onClose={close} title={`Version ${model.version + 1} of ${model.name}`} size="lg" centered><NewVersion tenant={tenant} model={model} onDone={close} /></Modal>
    </Panel>
  )
}

/** The object that the text is, or why it is none. */
function parsed(text: string): { spec: Record<string, unknown> | null; reason: string } {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? { spec: value as Record<string, unknown>, reason: '' } : { spec: null, reason: 'A spec is an object.' }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { spec: null, reason: error.message }
  }
}

function NewVersion({ tenant, model, onDone }: { tenant: string; model: Model; onDone: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(model.spec, null, 2))
  const { spec, reason } = parsed(text)
  const make = useMutation({
    mutationFn: (wanted: Record<string, unknown>) => api.POST('/api/v1/tenants/{tenant}/models/{model_id}/versions', { params: { path: { tenant, model_id: model.id } }, body: { spec: wanted } }),
    onSuccess: onDone,
    onSettled: () => modelChanged(tenant),
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    if (spec) make.mutate(spec)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {make.error ? <Alert color="red" variant="light" role="alert">{make.error.message} {make.error instanceof Problem ? make.error.mend : ''}</Alert> : null}
        <Textarea label="Spec" autosize minRows={8} maxRows={18} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }} value={text} error={reason || null} onChange={(event) => setText(event.currentTarget.value)} />
        <ServingCheck tenant={tenant} stream={model.stream.id} spec={spec} />
        <Text size="sm" className="quiet">Its lineages start untrained at the stream’s beginning; those of version {model.version} end and stay readable.</Text>
        <Group justify="flex-end"><Button type="submit" loading={make.isPending} disabled={!spec}>Make the version</Button></Group>
      </Stack>
    </form>
  )
}

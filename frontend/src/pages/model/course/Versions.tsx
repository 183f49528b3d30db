import { Alert, Button, Group, Modal, Stack, Table, Text, Textarea } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api } from '../../../api/client'
import { Problem } from '../../../api/problem'
import type { Model } from '../../../api/types'
import { count } from '../../../format/number'
import { useMay } from '../../../parts/context'
import { Panel } from '../../../parts/Panel'
import { Scroll } from '../../../parts/Scroll'
import { When } from '../../../parts/When'
import { Resource } from '../../../states/Resource'
import { ServingCheck } from '../../models/ServingCheck'
import { modelChanged, versionsQuery } from '../queries'

/** Immutable specs, newest first. A new one starts untrained, in lineages of its own. */
export function Versions({ tenant, model }: { tenant: string; model: Model }) {
  const mayWrite = useMay('models:write')
  const [opened, { open, close }] = useDisclosure()
  const paused = model.status === 'paused'
  return (
    <Panel title="Versions" note={paused ? 'Immutable specs; a new one starts untrained' : 'Immutable specs. Pause the model to give it a new one.'} aside={mayWrite ? <Button size="compact-sm" disabled={!paused} onClick={open}>New version</Button> : null}>
      <Resource query={useQuery(versionsQuery(tenant, model.id))} rows={1}>
        {(page) => (
          <Scroll label="Versions, table" tall={300}>
            <Table fz="sm" miw={560}>
              <Table.Thead><Table.Tr><Table.Th scope="col">Version</Table.Th><Table.Th scope="col">Made</Table.Th><Table.Th scope="col" ta="right">Parameters</Table.Th><Table.Th scope="col" ta="right">FLOPs per row</Table.Th><Table.Th scope="col">Spec SHA-256</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>{page.results.map((version) => <Table.Tr key={version.id} className="num"><Table.Td>{version.number}</Table.Td><Table.Td><When at={version.created_at} /></Table.Td><Table.Td ta="right">{count(version.serving_parameters)}</Table.Td><Table.Td ta="right">{count(version.serving_flops)}</Table.Td><Table.Td><Text span size="xs" ff="monospace" title={version.sha256}>{version.sha256.slice(0, 12)}</Text></Table.Td></Table.Tr>)}</Table.Tbody>
            </Table>
          </Scroll>
        )}
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

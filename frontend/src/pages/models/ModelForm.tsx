import { Alert, Button, Group, MultiSelect, NumberInput, Select, SimpleGrid, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { foundationQuery, queryClient, streamsQuery, tenantKey } from '../../api/queries'
import type { Foundation, Stream } from '../../api/types'
import { Resource } from '../../states/Resource'
import { FirstStream } from '../data/FirstStream'
import { choicesOf, type ModelDraft, specOf } from './modelDraft'
import { ServingCheck } from './ServingCheck'

const NAME = /^[-a-zA-Z0-9_]{1,63}$/
const PRESETS = [
  { value: 'safe', label: 'safe: labels teach a head beside the served one' },
  { value: 'strong', label: 'strong: labels teach the served head too, behind a gate' },
  { value: 'none', label: 'none: ground truth alone, without a control' },
]

export function ModelForm({ tenant, onDone }: { tenant: string; onDone: () => void }) {
  const teacher = useQuery(foundationQuery(tenant)).data ?? null
  return (
    <Resource query={useQuery(streamsQuery(tenant))} rows={2} isEmpty={(page) => page.results.length === 0} empty={<FirstStream tenant={tenant} />}>
      {(page) => <Form tenant={tenant} streams={page.results} teacher={teacher} onDone={onDone} />}
    </Resource>
  )
}

function Form({ tenant, streams, teacher, onDone }: { tenant: string; streams: Stream[]; teacher: Foundation | null; onDone: () => void }) {
  const navigate = useNavigate()
  const [streamId, setStreamId] = useState(streams[0]?.id ?? '')
  const stream = streams.find((each) => each.id === streamId) ?? streams[0]
  const choices = stream ? choicesOf(stream) : { features: [], tasks: [] }
  const fresh = (of: { features: string[]; tasks: string[] }): ModelDraft => ({ features: of.features, tasks: of.tasks.slice(0, 1), backbone: 'dcnv2', embeddingDim: 8, mlp: '64, 32', preset: 'safe' })
  const [draft, setDraft] = useState<ModelDraft>(() => fresh(choices))
  const [name, setName] = useState('')
  const [taught, setTaught] = useState(true)
  const spec = specOf(draft)
  const set = (change: Partial<ModelDraft>) => setDraft({ ...draft, ...change })
  const make = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/models', {
      params: { path: { tenant } },
      body: { name, stream: streamId, spec: spec ?? {}, ...(taught && teacher?.id && draft.preset !== 'none' ? { foundation_model: teacher.id } : {}) },
    })),
    onSuccess: async (model) => {
      await queryClient.invalidateQueries({ queryKey: tenantKey(tenant) })
      onDone()
      await navigate({ to: '/t/$tenant/models/$model', params: { tenant, model: model.id } })
    },
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {make.error ? <Alert color="red" variant="light" role="alert">{make.error.message} {make.error instanceof Problem ? make.error.mend : ''}</Alert> : null}
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <TextInput label="Name" required data-autofocus value={name} error={name && !NAME.test(name) ? 'Letters, digits, - and _ only' : null} onChange={(event) => setName(event.currentTarget.value)} />
          <Select label="Stream" data={streams.map((each) => ({ value: each.id, label: each.name }))} value={streamId} allowDeselect={false} searchable onChange={(id) => {
            const chosen = streams.find((each) => each.id === id)
            if (!chosen) return
            setStreamId(chosen.id)
            setDraft({ ...draft, ...fresh(choicesOf(chosen)) })
          }} />
        </SimpleGrid>
        <MultiSelect label="Tasks" description="The first is the primary one" data={choices.tasks} value={draft.tasks} onChange={(tasks) => set({ tasks })} />
        <MultiSelect label="Features" description="Privileged ones stay with the teacher and are not offered" data={choices.features} value={draft.features} onChange={(features) => set({ features })} searchable />
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <Select label="Backbone" data={['dcnv2', 'dlrm', 'mmoe']} value={draft.backbone} allowDeselect={false} onChange={(backbone) => set({ backbone: backbone ?? draft.backbone })} />
          <NumberInput label="Embedding width" description="A multiple of 4" min={4} max={512} step={4} value={draft.embeddingDim} onChange={(value) => set({ embeddingDim: Number(value) || 0 })} />
          <TextInput label="Hidden widths" description="Commas between" value={draft.mlp} onChange={(event) => set({ mlp: event.currentTarget.value })} />
        </SimpleGrid>
        <Select label="Supervision" data={PRESETS} value={draft.preset} allowDeselect={false} onChange={(preset) => set({ preset: preset ?? draft.preset })} />
        {teacher?.id && draft.preset !== 'none' ? <Switch label={`${teacher.name ?? 'The foundation model'} teaches it`} checked={taught} onChange={(event) => setTaught(event.currentTarget.checked)} /> : null}
        <ServingCheck tenant={tenant} stream={streamId} spec={spec} />
        <Group justify="flex-end" gap="sm">
          {spec ? null : <Text size="sm" className="bad">Choose a task, a feature and hidden widths.</Text>}
          <Button type="submit" loading={make.isPending} disabled={!spec || !NAME.test(name)}>Register the model</Button>
        </Group>
      </Stack>
    </form>
  )
}

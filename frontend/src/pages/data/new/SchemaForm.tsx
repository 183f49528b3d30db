import { Alert, Button, Group, List, MultiSelect, Select, SimpleGrid, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../../api/client'
import { Problem } from '../../../api/problem'
import { foundationQuery } from '../../../api/queries'
import { count } from '../../../format/number'
import { Command } from '../../../parts/Command'
import { Consents } from '../Consents'
import { dataChanged, type Proposal } from '../queries'
import { type Draft, draftOf, missing, schemaOf } from './draft'
import { FeatureTable } from './FeatureTable'
import { TaskList } from './TaskList'

const NAME = /^[-a-zA-Z0-9_]{1,63}$/

/** The proposal, to be read and changed; then the stream is registered. */
export function SchemaForm({ tenant, proposal, onAgain, onDone }: { tenant: string; proposal: Proposal; onAgain: () => void; onDone: () => void }) {
  const navigate = useNavigate()
  const catalogue = useQuery(foundationQuery(tenant)).data?.catalogue ?? []
  const [draft, setDraft] = useState<Draft>(() => draftOf(proposal))
  const [name, setName] = useState('')
  const [terms, setTerms] = useState({ feed_fm: false, feed_shared: false })
  const [showing, setShowing] = useState(false)
  const columns = proposal.columns.map((column) => column.name)
  const lack = missing(draft)
  const make = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/streams', { params: { path: { tenant } }, body: { name, schema: schemaOf(draft), ...terms } })),
    onSuccess: async (stream) => {
      await dataChanged(tenant)
      onDone()
      await navigate({ to: '/t/$tenant/data', params: { tenant }, search: { stream: stream.id } })
    },
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  const labels = (chosen: string[]) => setDraft({ ...draft, tasks: chosen.map((label) => draft.tasks.find((task) => task.label === label) ?? { name: label, kind: label.toLowerCase(), label }) })
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm" className="quiet">{count(proposal.rows)} rows of {proposal.format} read{proposal.whole ? ', all of them' : ''}; {proposal.columns.length} columns.</Text>
        {proposal.warnings.length ? (
          <Alert color="orange" variant="light" title="Before you use it">
            <List size="sm">{proposal.warnings.map((warning) => <List.Item key={warning}>{warning}</List.Item>)}</List>
          </Alert>
        ) : null}
        {make.error ? <Alert color="red" variant="light" role="alert">{make.error.message} {make.error instanceof Problem ? make.error.mend : ''}</Alert> : null}
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
          <TextInput label="Name" description="Letters, digits, - and _" required data-autofocus value={name} error={name && !NAME.test(name) ? 'Letters, digits, - and _ only' : null} onChange={(event) => setName(event.currentTarget.value)} />
          <Select label="Event time" description="When each row happened" required data={columns} value={draft.eventTime || null} onChange={(column) => setDraft({ ...draft, eventTime: column ?? '' })} searchable />
          <Select label="User key" description="Whose rows are resampled together" clearable data={draft.features.filter((feature) => feature.used && feature.kind === 'categorical').map((feature) => feature.name)} value={draft.userKey || null} onChange={(column) => setDraft({ ...draft, userKey: column ?? '' })} searchable />
          <MultiSelect label="Labels" description="Columns of 0 and 1 to predict" data={columns} value={draft.tasks.map((task) => task.label)} onChange={labels} searchable />
        </SimpleGrid>
        <TaskList tasks={draft.tasks} onChange={(tasks) => setDraft({ ...draft, tasks })} />
        <FeatureTable features={draft.features} catalogue={catalogue} hidden={[draft.eventTime, ...draft.tasks.map((task) => task.label)]} onChange={(features) => setDraft({ ...draft, features })} />
        <Consents terms={terms} onChange={setTerms} />
        <Switch label="Show the schema as JSON" checked={showing} onChange={(event) => setShowing(event.currentTarget.checked)} />
        {showing ? <Command label="schema">{JSON.stringify(schemaOf(draft), null, 2)}</Command> : null}
        <Group justify="space-between">
          <Button variant="default" onClick={onAgain}>Take another file</Button>
          <Group gap="sm">
            {lack ? <Text size="sm" className="bad">{lack}</Text> : null}
            <Button type="submit" loading={make.isPending} disabled={lack !== '' || !NAME.test(name)}>Register the stream</Button>
          </Group>
        </Group>
      </Stack>
    </form>
  )
}

import { Alert, Button, Checkbox, Group, Modal, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { queryClient, tenantKey } from '../../api/queries'
import { Icon } from '../../parts/icons'
import type { Part } from './exportsQuery'

const PARTS: readonly (readonly [Part, string, string])[] = [
  ['rows', 'Records', 'Every row the platform keeps about this tenant, as JSON lines: streams, models, runs, costs, members, audit log. Never passwords, tokens or other secrets.'],
  ['partitions', 'Data files', 'The uploaded partitions, byte for byte, with their SHA-256.'],
  ['models', 'Model weights', 'The newest checkpoint of each arm, and what the aliases serving and candidate point at.'],
]

/** Asks for an export; which parts it holds is chosen first. */
export function NewExport({ tenant, busy }: { tenant: string; busy: boolean }) {
  const [opened, { open, close }] = useDisclosure()
  const [include, setInclude] = useState<Part[]>(['rows', 'partitions', 'models'])
  const ask = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/exports', { params: { path: { tenant } }, body: { include } })),
    onSuccess: () => { close(); return queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'exports'] }) },
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    ask.mutate()
  }
  const toggle = (part: Part, chosen: boolean) => setInclude((parts) => (chosen ? [...parts, part] : parts.filter((each) => each !== part)))
  return (
    <>
      <Button size="compact-sm" variant="default" disabled={busy} leftSection={<Icon name="save" size={14} />} onClick={() => { ask.reset(); open() }}>New export…</Button>
      <Modal opened={opened} onClose={close} title="New export" centered>
        <form onSubmit={submit}>
          <Stack>
            {ask.error ? <Alert color="red" variant="light" role="alert">{ask.error.message} {ask.error instanceof Problem ? ask.error.mend : null}</Alert> : null}
            {PARTS.map(([part, label, description]) => (
              <Checkbox key={part} label={label} description={description} checked={include.includes(part)} disabled={part === 'rows'} onChange={(event) => toggle(part, event.currentTarget.checked)} />
            ))}
            <Text size="sm" className="quiet">A worker writes one zip in the background. It can be downloaded for a few days by owners; each download is in the audit log.</Text>
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>Cancel</Button>
              <Button type="submit" loading={ask.isPending}>Start the export</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  )
}

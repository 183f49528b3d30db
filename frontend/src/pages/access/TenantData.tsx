import { Alert, Button, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { deletionQuery, queryClient } from '../../api/queries'
import { absolute } from '../../format/time'
import { Confirm } from '../../parts/Confirm'
import { Icon } from '../../parts/icons'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'
import { Exports } from './Exports'

/** For owners: take everything along, or have everything erased. */
export function TenantData({ tenant }: { tenant: string }) {
  const wish = useQuery(deletionQuery(tenant))
  return (
    <Panel title="This tenant’s data" note="Take it along as a zip, or have it erased">
      <Stack gap="lg">
        <Exports tenant={tenant} />
        <Resource query={wish} rows={1}>{({ deletion }) => deletion ? <Under tenant={tenant} eraseAfter={deletion.erase_after} by={deletion.requested_by ?? null} /> : <Ask tenant={tenant} />}</Resource>
      </Stack>
    </Panel>
  )
}

const refresh = (tenant: string) => queryClient.invalidateQueries({ queryKey: deletionQuery(tenant).queryKey })

function Under({ tenant, eraseAfter, by }: { tenant: string; eraseAfter: string; by: string | null }) {
  const cancel = useMutation({
    mutationFn: () => api.DELETE('/api/v1/tenants/{tenant}/deletion', { params: { path: { tenant } } }),
    onSettled: () => refresh(tenant),
  })
  return (
    <Alert color="orange" variant="light" icon={<Icon name="warn" />} title="This tenant will be erased">
      <Text size="sm">After {absolute(eraseAfter)}: data, labels, weights, members and tokens. Asked for by {by ?? 'an owner'}. Until then everything works as before.</Text>
      {cancel.error ? <Text size="sm" className="bad" role="alert">{cancel.error.message}</Text> : null}
      <Button mt="sm" size="compact-sm" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>Keep this tenant</Button>
    </Alert>
  )
}

function Ask({ tenant }: { tenant: string }) {
  const [opened, { open, close }] = useDisclosure()
  const [confirm, setConfirm] = useState('')
  const ask = useMutation({
    mutationFn: () => api.POST('/api/v1/tenants/{tenant}/deletion', { params: { path: { tenant } }, body: { confirm } }),
    onSuccess: () => { close(); return refresh(tenant) },
  })
  return (
    <Group justify="space-between">
      <Title order={3}>Deletion</Title>
      <Button color="red.9" size="compact-sm" onClick={() => { ask.reset(); setConfirm(''); open() }}>Delete this tenant…</Button>
      <Confirm title={`Delete the tenant ${tenant}?`} verb="Ask for its deletion" opened={opened} busy={ask.isPending} error={ask.error} onClose={close} onConfirm={() => ask.mutate()} disabled={confirm !== tenant}>
        <Stack gap="sm">
          <Text size="sm">After a time of grace its data, label sets, weights, members and tokens are erased. Ledger lines, provenance and the audit log stay as tombstones. What the shared foundation model has learned is not unlearned. Owners can change their mind until then.</Text>
          <TextInput label={`Type ${tenant} to confirm`} data-autofocus value={confirm} onChange={(event) => setConfirm(event.currentTarget.value)} />
        </Stack>
      </Confirm>
    </Group>
  )
}

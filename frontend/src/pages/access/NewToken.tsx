import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { queryClient, tenantKey } from '../../api/queries'
import { Command } from '../../parts/Command'
import { usePermissions } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { EndsField } from './EndsField'
import { ScopeChoice } from './ScopeChoice'
import { endOf, READ } from './scopes'

/** Makes a token; its text is shown this one time. */
export function NewToken({ tenant }: { tenant: string }) {
  const permissions = usePermissions()
  const [opened, { open, close }] = useDisclosure()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState(READ)
  const [ends, setEnds] = useState('')
  const make = useMutation({
    mutationFn: () => body(api.POST('/api/v1/tenants/{tenant}/tokens', { params: { path: { tenant } }, body: { name, scopes, expires_at: endOf(ends) } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: [...tenantKey(tenant), 'tokens'] }),
  })
  const done = () => {
    close()
    make.reset()
    setName('')
    setScopes(READ)
    setEnds('')
  }
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    make.mutate()
  }
  if (!permissions.includes('tokens:write')) return null
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={open}>New token</Button>
      <Modal opened={opened} onClose={done} title={make.data ? 'Copy the token now' : 'New API token'} centered>
        {make.data ? (
          <Stack>
            <Text size="sm">It is shown this one time; only its hash is stored.</Text>
            <Command label="token">{`export EXFM_TOKEN=${make.data.token ?? ''}`}</Command>
            <Group justify="flex-end"><Button onClick={done}>I have copied it</Button></Group>
          </Stack>
        ) : (
          <form onSubmit={submit}>
            <Stack>
              {make.error ? <Alert color="red" variant="light" role="alert">{make.error.message} {make.error instanceof Problem ? make.error.mend : ''}</Alert> : null}
              <TextInput label="Name" description="Which program uses it" required maxLength={80} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
              <ScopeChoice permissions={permissions} scopes={scopes} onChange={setScopes} />
              <EndsField value={ends} onChange={setEnds} />
              <Group justify="flex-end"><Button type="submit" loading={make.isPending} disabled={!name.trim()}>Make the token</Button></Group>
            </Stack>
          </form>
        )}
      </Modal>
    </>
  )
}

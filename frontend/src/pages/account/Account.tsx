import { Alert, Button, Container, Group, PasswordInput, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api } from '../../api/client'
import { accountQuery } from '../../api/queries'
import { ButtonLink } from '../../parts/links'
import { PageHead } from '../../parts/PageHead'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'
import { SecondFactor } from './SecondFactor'

/** How the signed-in person proves who they are. Belongs to no tenant. */
export function AccountPage() {
  const account = useQuery(accountQuery)
  return (
    <Container component="main" size={720} py="lg">
      <PageHead title="Your account" tab="Your account" sub={account.data?.email} aside={<ButtonLink to="/" variant="default" size="compact-sm">Back</ButtonLink>} />
      <Resource query={account} rows={3}>
        {(found) => (
          <Stack gap="md">
            {found.identities.length > 0 ? <Panel title="Single sign-on"><Text size="sm">You can sign in with {found.identities.join(', ')}.</Text></Panel> : null}
            <Panel title="Password" note="Changing it ends all your other sessions"><Password email={found.email} /></Panel>
            <Panel title="Second factor" note="A code of an authenticator app besides the password"><SecondFactor account={found} /></Panel>
          </Stack>
        )}
      </Resource>
    </Container>
  )
}

function Password({ email }: { email: string }) {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const change = useMutation({
    mutationFn: () => api.POST('/api/v1/account/password', { body: { current, password } }),
    onSuccess: () => { setCurrent(''); setPassword('') },
  })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    change.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack maw={400}>
        {change.error ? <Alert color="red" variant="light" role="alert">{change.error.message}</Alert> : null}
        {change.isSuccess ? <Alert color="teal" variant="light" role="status">The password is changed.</Alert> : null}
        <input type="hidden" name="email" autoComplete="username" value={email} readOnly />
        <PasswordInput label="Current password" required withAsterisk={false} autoComplete="current-password" value={current} onChange={(event) => setCurrent(event.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': 'Show the current password', tabIndex: 0 }} />
        <PasswordInput label="New password" description="At least ten characters, and none that is often used" required withAsterisk={false} autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': 'Show the new password', tabIndex: 0 }} />
        <Group><Button type="submit" loading={change.isPending} disabled={!current || !password}>Change it</Button></Group>
      </Stack>
    </form>
  )
}

import { Alert, Box, Button, Container, Group, PasswordInput, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, type SyntheticEvent, useState } from 'react'
import { api } from '../../api/client'
import { accountQuery, queryClient, sessionQuery } from '../../api/queries'
import type { Account } from '../../api/types'
import { Icon } from '../../parts/icons'
import { ButtonLink } from '../../parts/links'
import { PageHead } from '../../parts/PageHead'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'
import { Frame } from '../../shell/Frame'
import { lastTenant } from '../../shell/lastTenant'
import { safe } from '../signin/next'
import { SecondFactor } from './SecondFactor'

/** How the signed-in person proves who they are. Belongs to no tenant; members see it beside the tenant they came from. */
export function AccountPage() {
  const { data: me } = useQuery(sessionQuery)
  if (!me) return null
  const tenant = lastTenant(me)
  return tenant ? <Frame me={me} tenant={tenant}><Proofs /></Frame> : (
    <Container component="main" size={720} py="lg">
      <Proofs aside={<ButtonLink to="/" variant="default" size="compact-sm">Back</ButtonLink>} />
    </Container>
  )
}

function Proofs({ aside }: { aside?: ReactNode }) {
  const account = useQuery(accountQuery)
  const { next } = useSearch({ from: '/inside/account' })
  const navigate = useNavigate()
  const shown = async () => {
    await queryClient.invalidateQueries() // the account, the session, and what tenants answered before
    if (next) await navigate({ href: safe(next), replace: true })
  }
  return (
    <Box maw={720}>
      <PageHead title="Your account" tab="Your account" sub={account.data?.email} aside={aside} />
      <Resource query={account} rows={3}>
        {(found) => (
          <Stack gap="md">
            {next && !found.second_factor_shown ? <Alert variant="light" icon={<Icon name="lock" />} title="The page you opened requires a second factor" role="status">{found.second_factor ? 'Give a code below' : 'Set one up below'}; then you go on there.</Alert> : null}
            {/* First for who was led here; by the address alone, since moving it would drop codes on screen. */}
            {next ? <Factor account={found} onShown={() => void shown()} /> : null}
            {found.identities.length > 0 ? <Panel title="Single sign-on"><Text size="sm">You can sign in with {found.identities.join(', ')}.</Text></Panel> : null}
            <Panel title="Password" note="Changing it ends all your other sessions"><Password email={found.email} /></Panel>
            {next ? null : <Factor account={found} onShown={() => void shown()} />}
          </Stack>
        )}
      </Resource>
    </Box>
  )
}

function Factor({ account, onShown }: { account: Account; onShown: () => void }) {
  return <Panel title="Second factor" note="A code of an authenticator app besides the password"><SecondFactor account={account} onShown={onShown} /></Panel>
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

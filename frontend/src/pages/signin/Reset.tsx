import { Alert, Button, PasswordInput, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api } from '../../api/client'
import { sessionQuery } from '../../api/queries'
import { ButtonLink } from '../../parts/links'
import { Frame, secretOfLink } from './Frame'

/** Sets a new password by an administrator's one-time link. */
export function Reset() {
  const [token] = useState(secretOfLink)
  const [password, setPassword] = useState('')
  // Its answer brings the CSRF cookie.
  useQuery(sessionQuery)
  const reset = useMutation({ mutationFn: () => api.POST('/api/v1/password-reset', { body: { token, password } }) })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    reset.mutate()
  }
  if (reset.isSuccess) {
    return (
      <Frame title="Password changed" tab="New password">
        <Stack><Text size="sm">All sessions of the account have ended.</Text><ButtonLink to="/sign-in" fullWidth>Sign in</ButtonLink></Stack>
      </Frame>
    )
  }
  return (
    <Frame title="Set a new password" tab="New password" sub="This link works once">
      <form onSubmit={submit}>
        <Stack>
          {reset.error ? <Alert color="red" variant="light" role="alert">{reset.error.message}</Alert> : null}
          <PasswordInput label="New password" description="At least ten characters, and none that is often used" required withAsterisk={false} autoFocus autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }} />
          <Button type="submit" loading={reset.isPending} fullWidth>Set it</Button>
        </Stack>
      </form>
    </Frame>
  )
}

import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type SyntheticEvent, useEffect, useState } from 'react'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { queryClient, sessionQuery } from '../../api/queries'
import { duration } from '../../format/time'
import { Icon, Mark } from '../../parts/icons'

/** What went wrong, in one sentence that also says how to go on. */
function sentence(error: Error): string {
  if (!(error instanceof Problem)) return error.message
  if (error.status === 429) {
    return `Too many tries. Wait ${error.retryAfter ? duration(error.retryAfter) : 'a few minutes'}, then try again.`
  }
  if (error.status === 400 || error.status === 401) {
    return 'That email and password do not belong together. Check both; an owner of your tenant can set a new password.'
  }
  return `${error.message} ${error.mend}`
}

/** Only addresses of our own pages, never another host. */
const safe = (next: string | undefined) => (next && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/')

export function SignIn() {
  const { next } = useSearch({ from: '/sign-in' })
  const navigate = useNavigate()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  // Asking for the session also sets the CSRF cookie that signing in needs.
  const session = useQuery(sessionQuery)
  const signIn = useMutation({
    mutationFn: () => body(api.POST('/api/v1/session', { body: { email, password } })),
    onSuccess: (me) => queryClient.setQueryData(sessionQuery.queryKey, me),
  })
  const signedIn = session.data !== undefined
  useEffect(() => { document.title = 'Sign in · ExFM' }, [])
  useEffect(() => { if (signedIn) void navigate({ href: safe(next), replace: true }) }, [signedIn, next, navigate])

  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    signIn.mutate()
  }
  return (
    <Center component="main" mih="100vh" p="md">
      <Stack w="100%" maw={400} gap="lg">
        <Stack align="center" gap={6} ta="center">
          <Mark size={44} />
          <Title order={1}>Sign in to ExFM</Title>
          <Text className="quiet">See what the shared foundation model gains each of your models, what it costs, and what is left of your quota.</Text>
        </Stack>
        <Paper withBorder p="lg" radius="md">
          <form onSubmit={submit}>
            <Stack gap="md">
              {signIn.error ? <Alert color="red" variant="light" icon={<Icon name="warn" />} role="alert">{sentence(signIn.error)}</Alert> : null}
              <TextInput label="Email" type="email" name="email" autoComplete="username" required withAsterisk={false} autoFocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
              <PasswordInput label="Password" name="password" autoComplete="current-password" required withAsterisk={false} value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }} />
              <Button type="submit" loading={signIn.isPending} fullWidth>Sign in</Button>
            </Stack>
          </form>
        </Paper>
      </Stack>
    </Center>
  )
}

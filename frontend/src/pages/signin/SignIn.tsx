import { Alert, Button, Divider, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { providersQuery, queryClient, sessionQuery } from '../../api/queries'
import { Icon } from '../../parts/icons'
import { CodeStep } from './CodeStep'
import { Frame } from './Frame'
import { safe } from './next'
import { sentence } from './sentence'
import { useWayIn } from './useWayIn'

const REFUSED: Record<string, string> = {
  sso_not_admitted: 'You are signed in there, and have no account here. Ask an owner of your tenant for an invitation.',
  sso_unreachable: 'The identity provider does not answer. Try again in a minute.',
  sso_state_wrong: 'That sign-in was not begun here, or took too long. Try again.',
}

export function SignIn() {
  const { next, problem, step } = useSearch({ from: '/sign-in' })
  return step === 'code' ? <CodeStep next={next} /> : <PasswordStep next={next} problem={problem} />
}

function PasswordStep({ next, problem }: { next: string | undefined; problem: string | undefined }) {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [asked, setAsked] = useState(false)
  // Asking for the session also sets the CSRF cookie that signing in needs.
  useQuery(sessionQuery)
  useWayIn(next)
  const providers = useQuery(providersQuery)
  const signIn = useMutation({
    mutationFn: () => body(api.POST('/api/v1/session', { body: { email, password, ...(asked ? { code } : {}) } })),
    onSuccess: (me) => queryClient.setQueryData(sessionQuery.queryKey, me),
    onError: (error) => { if (error instanceof Problem && error.code === 'second_factor_required') setAsked(true) },
  })
  const wanted = signIn.error instanceof Problem && signIn.error.code === 'second_factor_required'

  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    signIn.mutate()
  }
  return (
    <Frame title="Sign in to ExFM" tab="Sign in" sub="See what the shared foundation model gains each of your models, what it costs, and what is left of your quota.">
      <form onSubmit={submit}>
        <Stack gap="md">
          {problem && !signIn.error ? <Alert color="red" variant="light" icon={<Icon name="warn" />} role="alert">{REFUSED[problem] ?? 'The identity provider’s answer was refused. Try again; if it stays, tell your administrators.'}</Alert> : null}
          {signIn.error && !wanted ? <Alert color="red" variant="light" icon={<Icon name="warn" />} role="alert">{sentence(signIn.error, asked)}</Alert> : null}
          <TextInput label="Email" type="email" name="email" autoComplete="username" required withAsterisk={false} autoFocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <PasswordInput label="Password" name="password" autoComplete="current-password" required withAsterisk={false} value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }} />
          {asked ? <TextInput label="Code" description="Six digits of your authenticator app, or a recovery code" name="code" autoComplete="one-time-code" inputMode="text" required withAsterisk={false} autoFocus value={code} onChange={(event) => setCode(event.currentTarget.value)} /> : null}
          <Button type="submit" loading={signIn.isPending} fullWidth>Sign in</Button>
          {providers.data?.length ? <Divider label="or" /> : null}
          {providers.data?.map((provider) => (
            <Button key={provider.slug} component="a" variant="default" fullWidth href={`${provider.start}?${new URLSearchParams({ next: safe(next) }).toString()}`}>Sign in with {provider.name}</Button>
          ))}
        </Stack>
      </form>
    </Frame>
  )
}

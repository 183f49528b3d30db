import { Alert, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { queryClient, sessionQuery } from '../../api/queries'
import type { Offer } from '../../api/types'
import { Loading } from '../../states/States'
import { Frame, secretOfLink } from './Frame'

/** Where an invitation's link leads. */
export function Invitation() {
  const [token] = useState(secretOfLink)
  const session = useQuery(sessionQuery)
  const offer = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => body(api.POST('/api/v1/invitation', { body: { token } })),
    // The session's answer brings the CSRF cookie, whether anybody is signed in or not.
    enabled: !session.isPending,
    retry: false,
  })
  if (offer.error) return <Frame title="Invitation" tab="Invitation"><Alert color="red" variant="light" role="alert">{offer.error.message} Ask for a new one.</Alert></Frame>
  if (!offer.data) return <Frame title="Invitation" tab="Invitation"><Loading rows={2} /></Frame>
  return (
    <Frame title={`Join ${offer.data.tenant}`} tab="Invitation" sub={<>as {offer.data.role}, with {offer.data.email}</>}>
      <Answer offer={offer.data} token={token} me={session.data?.user.email} />
    </Frame>
  )
}

function Answer({ offer, token, me }: { offer: Offer; token: string; me: string | undefined }) {
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const accept = useMutation({
    mutationFn: () => body(api.POST('/api/v1/invitation/accept', { body: { token, ...(me ? {} : { name, password }) } })),
    onSuccess: (session) => {
      queryClient.setQueryData(sessionQuery.queryKey, session)
      void navigate({ to: '/', replace: true })
    },
  })
  const problem = accept.error ? <Alert color="red" variant="light" role="alert">{accept.error.message}</Alert> : null
  if (me && me !== offer.email) return <Text size="sm">You are signed in as {me}. This invitation is for {offer.email}: sign out, then open the link again.</Text>
  if (!me && offer.has_account) {
    return (
      <Stack>
        <Text size="sm">{offer.email} has an account already. Sign in, and you come back here.</Text>
        <Button component="a" href={`/sign-in?${new URLSearchParams({ next: `/invitation#${token}` }).toString()}`} fullWidth>Sign in</Button>
      </Stack>
    )
  }
  if (me) return <Stack>{problem}<Button fullWidth loading={accept.isPending} onClick={() => accept.mutate()}>Join</Button></Stack>
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    accept.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {problem}
        <TextInput label="Email" value={offer.email} readOnly autoComplete="username" />
        <TextInput label="Name" required withAsterisk={false} maxLength={120} autoComplete="name" autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <PasswordInput label="Password" description="At least ten characters, and none that is often used" required withAsterisk={false} autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }} />
        <Button type="submit" loading={accept.isPending} fullWidth>Make the account and join</Button>
      </Stack>
    </form>
  )
}

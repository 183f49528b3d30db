import { Alert, Button, Stack, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { queryClient, sessionQuery } from '../../api/queries'
import { Icon } from '../../parts/icons'
import { ButtonLink } from '../../parts/links'
import { Frame } from './Frame'
import { sentence } from './sentence'
import { useWayIn } from './useWayIn'

/** The second step of single sign-on, where the provider asked for no second factor and the account here has one. */
export function CodeStep({ next }: { next: string | undefined }) {
  const [code, setCode] = useState('')
  useQuery(sessionQuery) // its answer brings the CSRF cookie
  useWayIn(next)
  const prove = useMutation({
    mutationFn: () => body(api.POST('/api/v1/sso/code', { body: { code } })),
    onSuccess: (me) => queryClient.setQueryData(sessionQuery.queryKey, me),
  })
  const over = prove.error instanceof Problem && prove.error.code === 'sso_state_wrong'
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    prove.mutate()
  }
  return (
    <Frame title="One more step" tab="Code" sub="Your account here has a second factor, and your provider asked for none.">
      <form onSubmit={submit}>
        <Stack gap="md">
          {prove.error ? <Alert color="red" variant="light" icon={<Icon name="warn" />} role="alert">{over ? 'That sign-in took too long, or was finished already. Begin again.' : sentence(prove.error, true)}</Alert> : null}
          <TextInput label="Code" description="Six digits of your authenticator app, or a recovery code" name="code" autoComplete="one-time-code" inputMode="text" required withAsterisk={false} autoFocus value={code} onChange={(event) => setCode(event.currentTarget.value)} />
          <Button type="submit" loading={prove.isPending} disabled={!code.trim()} fullWidth>Sign in</Button>
          <ButtonLink to="/sign-in" search={{ next }} variant="default" fullWidth>Begin again</ButtonLink>
        </Stack>
      </form>
    </Frame>
  )
}

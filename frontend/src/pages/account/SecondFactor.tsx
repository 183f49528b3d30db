import { Alert, Button, Group, Image, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { api, body } from '../../api/client'
import { accountQuery, queryClient } from '../../api/queries'
import type { Account } from '../../api/types'
import { Command } from '../../parts/Command'

const refresh = () => queryClient.invalidateQueries({ queryKey: accountQuery.queryKey })

/** Sets an authenticator app up, shows its code in this session, or turns it off. `onShown`: the session has shown one. */
export function SecondFactor({ account, onShown }: { account: Account; onShown: () => void }) {
  const [codes, setCodes] = useState<string[] | null>(null)
  if (codes) return <RecoveryCodes codes={codes} onDone={() => { setCodes(null); onShown() }} />
  if (!account.second_factor) return <Off byProvider={account.second_factor_shown} onCodes={setCodes} />
  return (
    <Stack>
      {account.second_factor_shown ? null : <Show onShown={onShown} />}
      <On left={account.recovery_codes_left} onCodes={setCodes} />
    </Stack>
  )
}

/** For a session that began before the second factor was on, or through a provider that asked for none. */
function Show({ onShown }: { onShown: () => void }) {
  const prove = useMutation({
    mutationFn: (code: string) => api.POST('/api/v1/account/second-factor/proof', { body: { code } }),
    onSuccess: onShown,
  })
  return (
    <Stack maw={420}>
      <Text size="sm">You have not shown it since you signed in. Some tenants require that.</Text>
      <CodeForm verb="Show it now" busy={prove.isPending} error={prove.error} onCode={(code) => prove.mutate(code)} />
    </Stack>
  )
}

function Off({ byProvider, onCodes }: { byProvider: boolean; onCodes: (codes: string[]) => void }) {
  const begin = useMutation({ mutationFn: () => body(api.POST('/api/v1/account/second-factor')) })
  const confirm = useMutation({
    mutationFn: (code: string) => body(api.POST('/api/v1/account/second-factor/confirm', { body: { code } })),
    onSuccess: (answer) => onCodes(answer.codes),
  })
  if (!begin.data) {
    return (
      <Stack>
        {begin.error ? <Alert color="red" variant="light" role="alert">{begin.error.message}</Alert> : null}
        <Text size="sm">{byProvider ? 'It is off here; your identity provider asked you for one.' : 'It is off: whoever knows your password gets in.'}</Text>
        <Group><Button loading={begin.isPending} onClick={() => begin.mutate()}>Set it up</Button></Group>
      </Stack>
    )
  }
  return (
    <Stack maw={420}>
      <Text size="sm">Scan this with your authenticator app, or type the secret into it. Then type the six digits that it shows.</Text>
      <Image src={`data:image/svg+xml;utf8,${encodeURIComponent(begin.data.picture)}`} alt="QR code of the secret below" w={190} h={190} radius="sm" />
      <Command label="secret">{begin.data.secret}</Command>
      <CodeForm verb="Turn it on" busy={confirm.isPending} error={confirm.error} onCode={(code) => confirm.mutate(code)} />
    </Stack>
  )
}

function On({ left, onCodes }: { left: number; onCodes: (codes: string[]) => void }) {
  const [wish, setWish] = useState<'renew' | 'off' | null>(null)
  const renew = useMutation({
    mutationFn: (code: string) => body(api.POST('/api/v1/account/recovery-codes', { body: { code } })),
    onSuccess: (answer) => onCodes(answer.codes),
  })
  const off = useMutation({
    mutationFn: (code: string) => api.POST('/api/v1/account/second-factor/off', { body: { code } }),
    onSuccess: refresh,
  })
  return (
    <Stack maw={420}>
      <Text size="sm">It is on. <span className={left < 3 ? 'bad' : 'quiet'}>{left} recovery codes are left.</span></Text>
      {wish === null ? (
        <Group>
          <Button variant="default" onClick={() => setWish('renew')}>New recovery codes</Button>
          <Button variant="default" onClick={() => setWish('off')}>Turn it off</Button>
        </Group>
      ) : wish === 'renew' ? <CodeForm verb="Make new codes" busy={renew.isPending} error={renew.error} onCode={(code) => renew.mutate(code)} /> : <CodeForm verb="Turn it off" busy={off.isPending} error={off.error} onCode={(code) => off.mutate(code)} />}
    </Stack>
  )
}

function CodeForm({ verb, busy, error, onCode }: { verb: string; busy: boolean; error: Error | null; onCode: (code: string) => void }) {
  const [code, setCode] = useState('')
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    onCode(code)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {error ? <Alert color="red" variant="light" role="alert">{error.message}</Alert> : null}
        <TextInput label="Code" required withAsterisk={false} autoComplete="one-time-code" autoFocus value={code} onChange={(event) => setCode(event.currentTarget.value)} />
        <Group><Button type="submit" loading={busy} disabled={!code.trim()}>{verb}</Button></Group>
      </Stack>
    </form>
  )
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <Stack maw={420}>
      <Text size="sm">Keep these recovery codes where your phone is not. Each works once in place of the app’s code. They are shown this one time.</Text>
      <Command label="recovery codes">{codes.join('\n')}</Command>
      <Group><Button onClick={onDone}>I have kept them</Button></Group>
    </Stack>
  )
}

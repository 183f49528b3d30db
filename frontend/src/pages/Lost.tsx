import { Button, Center, Stack, Text, Title } from '@mantine/core'
import { Problem } from '../api/problem'
import { ButtonLink } from '../parts/links'
import { Empty, Failed } from '../states/States'

export function Missing() {
  return (
    <Center component="main" mih="60vh">
      <Empty order={1} title="There is no page under this address" icon="search" action={<ButtonLink to="/" variant="default" mt="sm">To the overview</ButtonLink>}>
        The link may be old or mistyped.
      </Empty>
    </Center>
  )
}

/** A page that failed to load or to draw; the frame around it stays. */
export function Crash({ error }: { error: unknown }) {
  return (
    <Stack maw={560} mx="auto" py="xl">
      <Title order={1} size="h3">This page could not be shown</Title>
      <Failed error={error instanceof Problem ? error : new Error('It went wrong in this browser, perhaps because the platform has been renewed since the page was opened. Reload it; if that does not help, tell your platform admin.')} />
      {error instanceof Problem ? null : <Text size="xs" className="quiet" ff="monospace">{String(error)}</Text>}
      <Button variant="default" onClick={() => window.location.reload()} style={{ alignSelf: 'flex-start' }}>Reload the page</Button>
    </Stack>
  )
}

/** The same where not even the frame stands. */
export function RootCrash(props: { error: unknown }) {
  return <main style={{ padding: 16 }}><Crash {...props} /></main>
}

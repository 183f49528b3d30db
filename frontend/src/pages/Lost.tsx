import { Button, Center } from '@mantine/core'
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

/** Last resort: a page that failed to load or to draw. */
export function Crash({ error }: { error: unknown }) {
  return (
    <Center component="main" mih="60vh" p="md">
      <div style={{ maxWidth: 560 }}>
        <Failed error={error instanceof Error ? error : new Error('The page could not be drawn.')} />
        <Button mt="sm" variant="default" onClick={() => window.location.reload()}>Reload the page</Button>
      </div>
    </Center>
  )
}

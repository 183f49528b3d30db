import { Stack, Switch } from '@mantine/core'

export interface ConsentTerms {
  feed_fm: boolean
  feed_shared: boolean
}

/** Who else may train on a stream's rows. */
export function Consents({ terms, onChange }: { terms: ConsentTerms; onChange: (terms: ConsentTerms) => void }) {
  return (
    <Stack gap="xs">
      <Switch label="The foundation model may train on this stream" description="It then learns your users’ tastes best, and teaches every tenant’s models with what it learned." checked={terms.feed_fm} onChange={(event) => onChange({ ...terms, feed_fm: event.currentTarget.checked })} />
      <Switch label="Shared starters may train on this stream" description="Platform-owned models from which a tenant’s new models start." checked={terms.feed_shared} onChange={(event) => onChange({ ...terms, feed_shared: event.currentTarget.checked })} />
    </Stack>
  )
}

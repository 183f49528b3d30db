import { Alert, Stack, Switch, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useLocation } from '@tanstack/react-router'
import { api, body } from '../../api/client'
import { Problem } from '../../api/problem'
import { queryClient, settingsQuery } from '../../api/queries'
import { AnchorLink } from '../../parts/links'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'

/** For owners: whether members must show a second factor to get in. */
export function FactorRule({ tenant }: { tenant: string }) {
  const settings = useQuery(settingsQuery(tenant))
  const here = useLocation({ select: (location) => location.href })
  const change = useMutation({
    mutationFn: (required: boolean) => body(api.PATCH('/api/v1/tenants/{tenant}/settings', { params: { path: { tenant } }, body: { second_factor_required: required } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: settingsQuery(tenant).queryKey }),
  })
  const missing = change.error instanceof Problem && change.error.code === 'second_factor_missing'
  return (
    <Panel title="Second factor" note="A code of an authenticator app besides the password, or your identity provider’s">
      <Resource query={settings} rows={1}>
        {({ second_factor_required: required }) => (
          <Stack gap="xs">
            {change.error ? (
              <Alert color="red" variant="light" role="alert">
                {change.error.message} {missing ? <AnchorLink to="/account" search={{ next: here }} size="sm">Set yours up first</AnchorLink> : null}
              </Alert>
            ) : null}
            <Switch label="Require it of all members" checked={required} disabled={change.isPending} onChange={(event) => change.mutate(event.currentTarget.checked)} />
            <Text size="sm" className="quiet">{required ? 'Who has shown none since signing in sees nothing of this tenant until then.' : 'Members without one get in by password alone.'} API tokens and service accounts go on; new tokens are made by people who have shown theirs.</Text>
          </Stack>
        )}
      </Resource>
    </Panel>
  )
}

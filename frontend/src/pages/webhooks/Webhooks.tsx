import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useTenant } from '../../parts/context'
import { PageHead } from '../../parts/PageHead'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'
import { Deliveries } from './Deliveries'
import { NewWebhook } from './NewWebhook'
import { webhooksQuery } from './queries'
import { WebhookTable } from './WebhookTable'

/** Addresses that are told of events, and the log of what they were told. */
export function Webhooks() {
  const tenant = useTenant()
  const navigate = useNavigate()
  const { webhook } = useSearch({ from: '/inside/t/$tenant/webhooks' })
  const webhooks = useQuery(webhooksQuery(tenant))
  const open = (id: string | undefined) => void navigate({ to: '/t/$tenant/webhooks', params: { tenant }, search: { webhook: id } })
  return (
    <>
      <PageHead title="Webhooks" tab="Webhooks" sub="Programs of yours that are told what happens here, signed and at least once" />
      <Resource query={webhooks} rows={2}>
        {(page) => {
          const shown = page.results.find((each) => each.id === webhook) ?? page.results[0]
          return (
            <Stack gap="md">
              <Panel title="Addresses" note="Each delivery is signed with the webhook’s secret" aside={<NewWebhook tenant={tenant} />}>
                <WebhookTable tenant={tenant} webhooks={page.results} shown={shown?.id} onShow={open} />
              </Panel>
              {shown ? <Deliveries key={shown.id} tenant={tenant} webhook={shown} /> : null}
            </Stack>
          )
        }}
      </Resource>
    </>
  )
}

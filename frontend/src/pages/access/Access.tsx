import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { invitationsQuery, membersQuery, serviceAccountsQuery, tokensQuery } from '../../api/queries'
import { useMay, useTenant } from '../../parts/context'
import { PageHead } from '../../parts/PageHead'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'
import { FactorRule } from './FactorRule'
import { Invitations, Invite } from './Invitations'
import { Members } from './Members'
import { NewToken } from './NewToken'
import { NewServiceAccount, ServiceAccounts } from './ServiceAccounts'
import { TenantData } from './TenantData'
import { Tokens } from './Tokens'

/** Who may do what here: people, programs, and the tokens with which programs act. */
export function Access() {
  const tenant = useTenant()
  const mayToken = useMay('tokens:read')
  const mayManage = useMay('members:write')
  const mayExport = useMay('tenant:export')
  const members = useQuery(membersQuery(tenant))
  const invitations = useQuery(invitationsQuery(tenant))
  const accounts = useQuery(serviceAccountsQuery(tenant))
  return (
    <>
      <PageHead title="Access" tab="Access" sub="Members for people, service accounts and API tokens for programs" />
      <Stack gap="md">
        <Panel title="Members" aside={<Invite tenant={tenant} />}><Resource query={members} rows={2}>{(page) => <Members tenant={tenant} members={page.results} />}</Resource></Panel>
        {mayManage ? <FactorRule tenant={tenant} /> : null}
        <Panel title="Invitations" note="A link works once, for one address"><Resource query={invitations} rows={1}>{(page) => <Invitations tenant={tenant} invitations={page.results} />}</Resource></Panel>
        <Panel title="Service accounts" note="Members that are programs" aside={<NewServiceAccount tenant={tenant} />}><Resource query={accounts} rows={1}>{(page) => <ServiceAccounts tenant={tenant} accounts={page.results} />}</Resource></Panel>
        {mayToken ? <TokenPanel tenant={tenant} /> : null}
        {mayExport ? <TenantData tenant={tenant} /> : null}
      </Stack>
    </>
  )
}

function TokenPanel({ tenant }: { tenant: string }) {
  const tokens = useQuery(tokensQuery(tenant))
  return (
    <Panel title="API tokens" note="Stored hashed; shown once; revoked at once" aside={<NewToken tenant={tenant} />}>
      <Resource query={tokens} rows={2}>{(page) => <Tokens tenant={tenant} tokens={page.results} />}</Resource>
    </Panel>
  )
}

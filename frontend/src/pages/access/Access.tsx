import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { membersQuery, tokensQuery } from '../../api/queries'
import { useTenant } from '../../parts/context'
import { PageHead } from '../../parts/PageHead'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'
import { Members } from './Members'
import { NewToken } from './NewToken'
import { Tokens } from './Tokens'

/** Who may do what here, and the tokens with which programs act. */
export function Access() {
  const tenant = useTenant()
  const tokens = useQuery(tokensQuery(tenant))
  const members = useQuery(membersQuery(tenant))
  return (
    <>
      <PageHead title="Access" tab="Access" sub="API tokens for programs, members for people" />
      <Stack gap="md">
        <Panel title="API tokens" note="Stored hashed; shown once; revoked at once" aside={<NewToken tenant={tenant} />}>
          <Resource query={tokens} rows={2}>{(page) => <Tokens tenant={tenant} tokens={page.results} />}</Resource>
        </Panel>
        <Panel title="Members"><Resource query={members} rows={2}>{(page) => <Members members={page.results} />}</Resource></Panel>
      </Stack>
    </>
  )
}

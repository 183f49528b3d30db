import { Empty } from '../../states/States'

/** The next step for a tenant without models, as one command. */
export function FirstModel({ tenant }: { tenant: string }) {
  const origin = window.location.origin
  const command = [
    `curl -X POST ${origin}/api/v1/tenants/${tenant}/models \\`,
    '  -H "Authorization: Bearer $EXFM_TOKEN" -H "Content-Type: application/json" \\',
    `  -d '{"name": "ctr", "stream": "clicks", "spec": {"model": {"task": "click"}}}'`,
  ].join('\n')
  return (
    <Empty title="No model yet" icon="models" command={command}>
      Register a stream and its first model; training starts by itself with the first sealed partition. Make a token under Access first. The full spec is described in the API pages.
    </Empty>
  )
}

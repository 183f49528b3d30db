import { FirstStep } from '../../parts/FirstStep'
import { AnchorLink } from '../../parts/links'
import { Empty } from '../../states/States'

/** The command that uploads one partition. */
export const upload = (tenant: string, stream: string) =>
  [
    `curl -X POST "${window.location.origin}/api/v1/tenants/${tenant}/streams/${stream}/partitions?start=2026-11-01T00:00:00Z&end=2026-11-01T01:00:00Z" \\`,
    '  -H "Authorization: Bearer $EXFM_TOKEN" -H "Content-Type: application/vnd.apache.parquet" \\',
    '  -H "X-Content-SHA256: $(sha256sum part.parquet | cut -d\' \' -f1)" --data-binary @part.parquet',
  ].join('\n')

export function FirstStream({ tenant }: { tenant: string }) {
  return <FirstStep permission="streams:write" title="No stream yet" icon="data"><Register tenant={tenant} /></FirstStep>
}

function Register({ tenant }: { tenant: string }) {
  const command = [
    `curl -X POST ${window.location.origin}/api/v1/tenants/${tenant}/streams \\`,
    '  -H "Authorization: Bearer $EXFM_TOKEN" -H "Content-Type: application/json" \\',
    '  -d \'{"name": "clicks", "feed_fm": true, "schema": {"features": [{"name": "item_id", "kind": "categorical", "buckets": 10000}],',
    '       "tasks": [{"name": "click", "kind": "click", "label": "clicked"}], "event_time": "event_time", "user_key": "user_id"}}\'',
  ].join('\n')
  return (
    <Empty title="No stream yet" icon="data" command={command}>
      A stream names its features, its labels and its event time. Press New stream on the <AnchorLink to="/t/$tenant/data" params={{ tenant }} underline="always">Data</AnchorLink> page and drop a sample of your rows, or make a token under <AnchorLink to="/t/$tenant/access" params={{ tenant }} underline="always">Access</AnchorLink> and register the first one:
    </Empty>
  )
}

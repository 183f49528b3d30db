import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { runQuery } from '../../api/queries'
import type { Run } from '../../api/types'
import { useTenant } from '../../parts/context'
import { Copy } from '../../parts/Copy'
import { AnchorLink } from '../../parts/links'
import { PageHead } from '../../parts/PageHead'
import { StateBadge } from '../../parts/StateBadge'
import { Resource } from '../../states/Resource'
import { isOpen, runTitle } from '../runs/labels'
import { Attempts } from './Attempts'
import { LogTail } from './LogTail'
import { Now } from './Now'
import { Partitions } from './Partitions'
import { RunChart } from './RunChart'
import { StopButton } from './StopButton'

/** One run as it happens. */
export function RunPage() {
  const tenant = useTenant()
  const id = useParams({ from: '/inside/t/$tenant/runs/$run', select: (params) => params.run })
  return <Resource query={useQuery(runQuery(tenant, id))} rows={4} head="Run">{(run) => <Content tenant={tenant} run={run} />}</Resource>
}

function Content({ tenant, run }: { tenant: string; run: Run }) {
  return (
    <>
      <PageHead
        title={runTitle(run)}
        tab={`${run.state} · ${runTitle(run)}`}
        sub={<><StateBadge state={run.state} /> {run.kind} · <span style={{ overflowWrap: 'anywhere' }}>{run.id}</span> <Copy text={run.id} label="run’s id" />{run.model ? <> · <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: run.model.id }} underline="always">{run.model.name}</AnchorLink></> : null}</>}
        aside={isOpen(run) ? <StopButton tenant={tenant} run={run} /> : null}
      />
      <Stack gap="md">
        <Now run={run} />
        <div className="grid">
          {run.partitions.some((partition) => partition.ne_control !== null) ? <RunChart run={run} className="w6" /> : null}
          <Partitions run={run} className="w6" />
          <Attempts run={run} className="w6" />
          <LogTail run={run} className="w6" />
        </div>
      </Stack>
    </>
  )
}

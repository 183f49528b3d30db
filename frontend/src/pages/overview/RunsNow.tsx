import type { RunCard } from '../../api/types'
import { useMay } from '../../parts/context'
import { AnchorLink } from '../../parts/links'
import { Panel } from '../../parts/Panel'
import { Empty } from '../../states/States'
import { isOpen } from '../runs/labels'
import { RunList } from '../runs/RunList'

export function RunsNow({ tenant, runs }: { tenant: string; runs: RunCard[] }) {
  const open = runs.some(isOpen)
  const mayOpen = useMay('runs:read')
  return (
    <Panel title={open ? 'Runs now' : 'Latest runs'} note={mayOpen ? 'Live; newest first' : 'Newest first'} aside={mayOpen ? <AnchorLink to="/t/$tenant/runs" params={{ tenant }} size="sm">All runs</AnchorLink> : null}>
      {runs.length ? <RunList tenant={tenant} runs={runs} brief /> : <Empty title="Nothing runs at the moment" icon="runs">A run starts by itself when a partition is sealed and its labels are ready.</Empty>}
    </Panel>
  )
}

import { Button, Text } from '@mantine/core'
import { useState } from 'react'
import type { Costs } from '../../api/types'
import { save } from '../../charts/download'
import { csv } from '../../charts/table'
import { plural } from '../../format/number'
import { Panel } from '../../parts/Panel'
import { EveryModel } from './EveryModel'
import { ModelCosts } from './ModelCosts'
import { everyModelCost } from './queries'

const COLUMNS = ['name', 'training', 'measurement', 'fm_share', 'total'] as const

async function download(tenant: string) {
  const rows = await everyModelCost(tenant)
  const table = { columns: ['model', ...COLUMNS.slice(1)], rows: rows.map((row) => COLUMNS.map((column) => row[column])) }
  save(new Blob([csv(table)], { type: 'text/csv' }), 'costs-by-model.csv')
}

/** The costliest models and one row for the rest, or every model with a search. */
export function ByModel({ tenant, costs, className }: { tenant: string; costs: Costs; className: string }) {
  const [every, setEvery] = useState(false)
  const { models, rest } = costs
  return (
    <Panel title="By model" note="Since each was registered; ordered by training and measurement" className={className} aside={
      <Button size="compact-sm" variant="default" disabled={models.length === 0} onClick={() => void download(tenant)}>CSV</Button>
    }>
      {models.length === 0 ? <Text size="sm" className="quiet">Nothing charged yet.</Text> : every ? <EveryModel tenant={tenant} currency={costs.currency} /> : (
        <>
          <ModelCosts tenant={tenant} currency={costs.currency} models={models} {...(rest.models > 0 ? { rest } : {})} />
          {rest.models > 0 ? <Button size="compact-sm" variant="default" mt="sm" onClick={() => setEvery(true)}>Show all {plural(models.length + rest.models, 'model')}</Button> : null}
        </>
      )}
    </Panel>
  )
}

import { Group, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { modelsQuery, runsQuery } from '../../api/queries'
import { useTenant } from '../../parts/context'
import { PageHead } from '../../parts/PageHead'
import { Pager } from '../../parts/Pager'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { FirstPartition } from '../data/FirstPartition'
import { STATES } from './labels'
import { RunList } from './RunList'

export function Runs() {
  const tenant = useTenant()
  const filter = useSearch({ from: '/inside/t/$tenant/runs' })
  const navigate = useNavigate({ from: '/t/$tenant/runs' })
  const [cursor, setCursor] = useState<string | undefined>()
  const runs = useQuery(runsQuery(tenant, { ...filter, cursor }))
  const models = useQuery(modelsQuery(tenant))
  const filtered = Boolean(filter.state ?? filter.model)
  const set = (change: { state?: string | undefined; model?: string | undefined }) => {
    setCursor(undefined)
    void navigate({ search: (previous) => ({ ...previous, ...change }), replace: true })
  }
  return (
    <>
      <PageHead title="Runs" tab="Runs" sub="Every course of training and scoring, live" />
      <Group gap="xs" mb="sm" role="search">
        <Select aria-label="State" placeholder="Any state" clearable data={['open', ...STATES]} value={filter.state ?? null} onChange={(state) => set({ state: state ?? undefined })} w={{ base: 'calc(50% - 5px)', xs: 160 }} />
        <Select aria-label="Model" placeholder="Any model" clearable searchable data={(models.data?.results ?? []).map((model) => ({ value: model.id, label: model.name }))} value={filter.model ?? null} onChange={(model) => set({ model: model ?? undefined })} w={{ base: 'calc(50% - 5px)', xs: 200 }} />
      </Group>
      <section className="panel" aria-label="Runs" style={{ padding: 'var(--mantine-spacing-sm)' }}>
        <Resource query={runs} isEmpty={(page) => page.results.length === 0} empty={
          filtered ? <Empty title="No run matches" icon="search">Clear a filter to see the others.</Empty>
            : <FirstPartition tenant={tenant} />
        }>
          {(page) => (
            <>
              <RunList tenant={tenant} runs={page.results} />
              <Pager page={page} onTurn={setCursor} />
            </>
          )}
        </Resource>
      </section>
    </>
  )
}

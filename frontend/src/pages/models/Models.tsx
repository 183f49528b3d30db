import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { modelsQuery } from '../../api/queries'
import type { ModelCard } from '../../api/types'
import { plural } from '../../format/number'
import { useTenant } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { PageHead } from '../../parts/PageHead'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { choose, type ModelFilter } from './filter'
import { FirstModel } from './FirstModel'
import { ModelTable } from './ModelTable'
import { NewModel } from './NewModel'

const distinct = (values: string[]) => [...new Set(values)].sort()

export function Models() {
  const tenant = useTenant()
  const query = useQuery(modelsQuery(tenant))
  return (
    <>
      <PageHead title="Models" tab="Models" sub="Each small model, trained with and without the shared foundation model" aside={<NewModel tenant={tenant} />} />
      <Resource query={query} isEmpty={(page) => page.results.length === 0} empty={<div className="panel"><FirstModel tenant={tenant} /></div>}>
        {(page) => <Found tenant={tenant} models={page.results} />}
      </Resource>
    </>
  )
}

function Found({ tenant, models }: { tenant: string; models: ModelCard[] }) {
  const filter = useSearch({ from: '/inside/t/$tenant/models' })
  const navigate = useNavigate({ from: '/t/$tenant/models' })
  const set = (change: Partial<ModelFilter>) => void navigate({ search: (previous) => ({ ...previous, ...change }), replace: true })
  const rows = choose(models, filter)
  return (
    <>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, marginBottom: 12 }} role="search">
        <TextInput aria-label="Search by name, task or stream" placeholder="Search name, task, stream" leftSection={<Icon name="search" size={16} />} value={filter.q ?? ''} onChange={(event) => set({ q: event.currentTarget.value || undefined })} w={{ base: '100%', xs: 260 }} />
        <Select aria-label="Task" placeholder="Any task" clearable data={distinct(models.map((model) => model.task))} value={filter.task ?? null} onChange={(task) => set({ task: task ?? undefined })} w={150} />
        <Select aria-label="Status" placeholder="Any status" clearable data={distinct(models.map((model) => model.status))} value={filter.status ?? null} onChange={(status) => set({ status: status ?? undefined })} w={150} />
        <span className="quiet" style={{ alignSelf: 'center', fontSize: 14 }} role="status">{plural(rows.length, 'model')}</span>
      </div>
      {rows.length ? <ModelTable tenant={tenant} models={rows} sort={filter.sort} onSort={(sort) => set({ sort })} /> : (
        <div className="panel"><Empty title="No model matches" icon="search">Clear the search or a filter.</Empty></div>
      )}
    </>
  )
}

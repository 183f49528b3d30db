import { Alert, Button, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { api } from '../../../api/client'
import { foundationQuery } from '../../../api/queries'
import { Problem } from '../../../api/problem'
import type { Model } from '../../../api/types'
import { Confirm } from '../../../parts/Confirm'
import { useMay } from '../../../parts/context'
import { Panel } from '../../../parts/Panel'
import type { Column } from '../../../parts/table/columns'
import { DataTable } from '../../../parts/table/DataTable'
import { When } from '../../../parts/When'
import { Resource } from '../../../states/Resource'
import { type Binding, bindingsQuery, modelChanged } from '../queries'

const COLUMNS: Column<Binding>[] = [
  { label: 'Foundation model', card: 'title', cell: (binding) => binding.foundation_model.name },
  { label: 'Since', cell: (binding) => <When at={binding.created_at} /> },
  { label: 'Until', cell: (binding) => (binding.ended_at ? <When at={binding.ended_at} /> : 'now') },
]

/** Which foundation model teaches this model, since when, and who did before. */
export function Teacher({ tenant, model, className }: { tenant: string; model: Model; className: string }) {
  return (
    <Panel title="Teacher" note="A change holds from the next partition on" className={className}>
      <Resource query={useQuery(bindingsQuery(tenant, model.id))} rows={1}>
        {(page) => (
          <>
            {page.results.length === 0 ? <Text size="sm" className="quiet">No foundation model has taught this model.</Text> : <DataTable label="Teachers" columns={COLUMNS} rows={page.results} id={(binding) => String(binding.number)} />}
            <Change tenant={tenant} model={model} bound={page.results.some((binding) => binding.ended_at === null)} />
          </>
        )}
      </Resource>
    </Panel>
  )
}

function Change({ tenant, model, bound }: { tenant: string; model: Model; bound: boolean }) {
  const mayWrite = useMay('models:write')
  const teacher = useQuery(foundationQuery(tenant)).data
  const [opened, { open, close }] = useDisclosure()
  const path = { tenant, model_id: model.id }
  const bind = useMutation({
    mutationFn: (id: string) => api.POST('/api/v1/tenants/{tenant}/models/{model_id}/bindings', { params: { path }, body: { foundation_model: id } }),
    onSettled: () => modelChanged(tenant),
  })
  const end = useMutation({
    mutationFn: () => api.DELETE('/api/v1/tenants/{tenant}/models/{model_id}/bindings', { params: { path } }),
    onSuccess: close,
    onSettled: () => modelChanged(tenant),
  })
  if (!mayWrite) return null
  const id = teacher?.id
  return (
    <Group mt="sm">
      {bind.error ? <Alert color="red" variant="light" role="alert">{bind.error.message} {bind.error instanceof Problem ? bind.error.mend : ''}</Alert> : null}
      {bound ? <Button size="compact-sm" variant="default" onClick={open}>End the teaching</Button> : id ? <Button size="compact-sm" loading={bind.isPending} onClick={() => bind.mutate(id)}>Let {teacher.name} teach it</Button> : null}
      <Confirm title="End the teaching?" verb="End it" opened={opened} busy={end.isPending} error={end.error} onClose={close} onConfirm={() => end.mutate()}>From the next partition on the model learns from ground truth alone. What it learned from the teacher stays in its weights.</Confirm>
    </Group>
  )
}

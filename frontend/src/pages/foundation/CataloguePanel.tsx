import { Stack, Text } from '@mantine/core'
import type { Foundation } from '../../api/types'
import { count } from '../../format/number'
import { Panel } from '../../parts/Panel'
import type { Column } from '../../parts/table/columns'
import { DataTable } from '../../parts/table/DataTable'

type Feature = Foundation['catalogue'][number]

const COLUMNS: Column<Feature>[] = [
  { label: 'Shared feature', card: 'title', cell: ({ name }) => name },
  { label: 'Kind', card: 'corner', cell: ({ kind }) => kind },
  { label: 'Ids', right: true, num: true, cell: ({ kind, buckets }) => (kind === 'dense' ? '–' : count(buckets)) },
  { label: 'Hashed', cell: ({ kind, hashed }) => (kind === 'dense' ? '–' : hashed ? 'yes' : 'no') },
  { label: 'Longest list', right: true, num: true, cell: ({ kind, max_length }) => (kind === 'sequence' ? count(max_length) : '–') },
]

/** What columns of streams can feed, and which tasks the teacher can teach. */
export function CataloguePanel({ data }: { data: Foundation }) {
  return (
    <Panel title="Feature catalogue" note={`Teaches ${data.task_kinds.join(', ')}`}>
      <Stack gap="xs">
        <Text size="sm" className="quiet">A column feeds the shared feature that the stream’s schema names as its catalogue, of the same kind. A column without one is private: the foundation model never sees it. A privileged one is seen by the foundation model alone.</Text>
        <DataTable label="Feature catalogue" columns={COLUMNS} rows={data.catalogue} id={({ name }) => name} narrowest={420} tall={420} />
      </Stack>
    </Panel>
  )
}

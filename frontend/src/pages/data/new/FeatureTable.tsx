import { Checkbox, NumberInput, Select, Table, Text } from '@mantine/core'
import type { Foundation } from '../../../api/types'
import { Scroll } from '../../../parts/Scroll'
import { type DraftFeature, KINDS } from './draft'

interface FeatureTableProps {
  features: DraftFeature[]
  /** Features of the foundation model that a stream's may feed. */
  catalogue: Foundation['catalogue']
  /** Columns that are labels or the time. */
  hidden: string[]
  onChange: (features: DraftFeature[]) => void
}

const MOST_BUCKETS = 1 << 24
const LONGEST = 1024

/** One row per column of the file: whether and how a model may read it. */
export function FeatureTable({ features, catalogue, hidden, onChange }: FeatureTableProps) {
  const set = (name: string, change: Partial<DraftFeature>) => onChange(features.map((feature) => (feature.name === name ? { ...feature, ...change } : feature)))
  return (
    <Scroll label="Features, table" tall={420}>
      <Table fz="sm" stickyHeader miw={860} verticalSpacing={4}>
        <Table.Thead><Table.Tr><Table.Th scope="col">Use</Table.Th><Table.Th scope="col">Column</Table.Th><Table.Th scope="col">Kind</Table.Th><Table.Th scope="col">Buckets</Table.Th><Table.Th scope="col">Longest</Table.Th><Table.Th scope="col">Feeds the FM as</Table.Th><Table.Th scope="col">Why</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {features.filter((feature) => !hidden.includes(feature.name)).map((feature) => {
            const { name } = feature
            const known = catalogue.filter((shared) => shared.kind === feature.kind).map((shared) => shared.name)
            return (
              <Table.Tr key={name}>
                <Table.Td><Checkbox aria-label={`Use ${name}`} checked={feature.used} onChange={(event) => set(name, { used: event.currentTarget.checked })} /></Table.Td>
                <Table.Td><Text span size="sm" ff="monospace">{name}</Text></Table.Td>
                <Table.Td><Select aria-label={`Kind of ${name}`} size="xs" w={130} data={KINDS} value={feature.kind} disabled={!feature.used} allowDeselect={false} onChange={(kind) => set(name, { kind: kind ?? feature.kind, catalogue: '' })} /></Table.Td>
                <Table.Td>{feature.kind === 'dense' ? null : <NumberInput aria-label={`Buckets of ${name}`} size="xs" w={110} min={1} max={MOST_BUCKETS} thousandSeparator="," disabled={!feature.used} value={feature.buckets} onChange={(value) => set(name, { buckets: Number(value) || 1 })} />}</Table.Td>
                <Table.Td>{feature.kind === 'sequence' ? <NumberInput aria-label={`Longest ${name}`} size="xs" w={80} min={1} max={LONGEST} disabled={!feature.used} value={Math.max(1, feature.max_length)} onChange={(value) => set(name, { max_length: Number(value) || 1 })} /> : null}</Table.Td>
                <Table.Td><Select aria-label={`${name} feeds the foundation model as`} size="xs" w={150} placeholder={known.length ? 'nothing' : 'no such kind'} clearable data={known} value={feature.catalogue || null} disabled={!feature.used || known.length === 0} onChange={(shared) => set(name, { catalogue: shared ?? '' })} /></Table.Td>
                <Table.Td><Text size="xs" className="quiet">{feature.reason}</Text></Table.Td>
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </Scroll>
  )
}

import { Checkbox, NumberInput, Select, Text } from '@mantine/core'
import type { Foundation } from '../../../api/types'
import type { Column } from '../../../parts/table/columns'
import { DataTable } from '../../../parts/table/DataTable'
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
  const known = (feature: DraftFeature) => catalogue.filter((shared) => shared.kind === feature.kind).map((shared) => shared.name)
  const columns: Column<DraftFeature>[] = [
    { label: 'Use', card: 'corner', cell: ({ name, used }) => <Checkbox aria-label={`Use ${name}`} checked={used} onChange={(event) => set(name, { used: event.currentTarget.checked })} /> },
    { label: 'Column', card: 'title', cell: ({ name }) => <Text span size="sm" ff="monospace">{name}</Text> },
    { label: 'Kind', cell: (feature) => <Select aria-label={`Kind of ${feature.name}`} size="xs" w={130} data={KINDS} value={feature.kind} disabled={!feature.used} allowDeselect={false} onChange={(kind) => set(feature.name, { kind: kind ?? feature.kind, catalogue: '' })} /> },
    { label: 'Buckets', cell: ({ name, kind, used, buckets }) => (kind === 'dense' ? null : <NumberInput aria-label={`Buckets of ${name}`} size="xs" w={110} min={1} max={MOST_BUCKETS} thousandSeparator="," disabled={!used} value={buckets} onChange={(value) => set(name, { buckets: Number(value) || 1 })} />) },
    { label: 'Longest', cell: ({ name, kind, used, max_length }) => (kind === 'sequence' ? <NumberInput aria-label={`Longest ${name}`} size="xs" w={80} min={1} max={LONGEST} disabled={!used} value={Math.max(1, max_length)} onChange={(value) => set(name, { max_length: Number(value) || 1 })} /> : null) },
    { label: 'Feeds the FM as', cell: (feature) => <Select aria-label={`${feature.name} feeds the foundation model as`} size="xs" w={150} placeholder={known(feature).length ? 'nothing' : 'no such kind'} clearable data={known(feature)} value={feature.catalogue || null} disabled={!feature.used || known(feature).length === 0} onChange={(shared) => set(feature.name, { catalogue: shared ?? '' })} /> },
    { label: 'Why', card: 'note', cell: (feature) => feature.reason && <Text size="xs" className="quiet">{feature.reason}</Text> },
  ]
  return <DataTable label="Features" columns={columns} rows={features.filter((feature) => !hidden.includes(feature.name))} id={(feature) => feature.name} narrowest={860} tall={420} />
}

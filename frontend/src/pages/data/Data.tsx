import { Group, SegmentedControl, Select, Stack, TextInput } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { streamsQuery } from '../../api/queries'
import type { Partition, Stream } from '../../api/types'
import { day } from '../../format/time'
import { useTenant } from '../../parts/context'
import { FirstStep } from '../../parts/FirstStep'
import { PageHead } from '../../parts/PageHead'
import { Pager } from '../../parts/Pager'
import { Said } from '../../parts/Said'
import { Resource } from '../../states/Resource'
import { Empty } from '../../states/States'
import { FirstStream, upload } from './FirstStream'
import { ImportButton } from './ImportButton'
import { NewStream } from './new/NewStream'
import { PartitionTable } from './PartitionTable'
import { partitionsWhere } from './queries'
import { StreamFacts } from './StreamFacts'
import { Timeline } from './Timeline'
import { UploadButton } from './UploadButton'

const FEW = 4

export function Data() {
  const tenant = useTenant()
  const streams = useQuery(streamsQuery(tenant))
  return (
    <Said>
      <PageHead title="Data" tab="Data" sub="Streams of labelled examples and their partitions in event time" aside={<NewStream tenant={tenant} />} />
      <Resource query={streams} isEmpty={(page) => page.results.length === 0} empty={<div className="panel"><FirstStream tenant={tenant} /></div>}>
        {(page) => <Streams tenant={tenant} streams={page.results} />}
      </Resource>
    </Said>
  )
}

function Streams({ tenant, streams }: { tenant: string; streams: Stream[] }) {
  const search = useSearch({ from: '/inside/t/$tenant/data' })
  const navigate = useNavigate({ from: '/t/$tenant/data' })
  const stream = streams.find((each) => each.id === search.stream) ?? streams[0]
  if (!stream) return null
  const choose = (id: string | null) => void navigate({ search: { stream: id ?? undefined, partition: undefined }, replace: true })
  const options = streams.map((each) => ({ value: each.id, label: each.name }))
  return (
    <Stack gap="md">
      {streams.length > 1 ? (
        <Group>
          {streams.length <= FEW ? <SegmentedControl aria-label="Stream" data={options} value={stream.id} onChange={choose} /> : <Select aria-label="Stream" data={options} value={stream.id} onChange={choose} allowDeselect={false} searchable />}
        </Group>
      ) : null}
      <StreamFacts key={`facts ${stream.id}`} tenant={tenant} stream={stream} onRemoved={() => choose(null)} />
      <StreamData key={stream.id} tenant={tenant} stream={stream} />
    </Stack>
  )
}

/** The event time that a page of partitions covers. */
function span(rows: Partition[]): string {
  const [first, last] = [rows[0], rows.at(-1)]
  return first && last ? `${day(first.start)} to ${day(last.end)}` : ''
}

const STATES = ['uploaded', 'sealed', 'rejected']

function StreamData({ tenant, stream }: { tenant: string; stream: Stream }) {
  const { partition, state, since, until, page: cursor } = useSearch({ from: '/inside/t/$tenant/data' })
  const navigate = useNavigate({ from: '/t/$tenant/data' })
  const query = useQuery({ ...partitionsWhere(tenant, stream.id, { state, since, until, cursor }), placeholderData: keepPreviousData })
  const set = (change: object) => void navigate({ search: (previous) => ({ ...previous, stream: stream.id, ...change }), replace: true })
  const filter = (change: object) => set({ page: undefined, ...change })
  const turn = (page: string | undefined) => set({ page, partition: undefined })
  const narrowed = Boolean(state ?? since ?? until)
  return (
    <>
      <Group gap="xs" role="search" align="flex-end" justify="space-between">
        <Group gap="xs" align="flex-end">
          <Select label="State" placeholder="Any" clearable data={STATES} value={state ?? null} onChange={(value) => filter({ state: value ?? undefined })} w={140} />
          <TextInput label="Starts from (UTC)" type="date" w={160} value={since ?? ''} onChange={(event) => filter({ since: event.currentTarget.value || undefined })} />
          <TextInput label="Starts before (UTC)" type="date" w={160} value={until ?? ''} onChange={(event) => filter({ until: event.currentTarget.value || undefined })} />
        </Group>
        <Group gap="xs">
          <UploadButton tenant={tenant} stream={stream.id} />
          <ImportButton tenant={tenant} stream={stream.id} />
        </Group>
      </Group>
      <Resource query={query} isEmpty={(page) => page.results.length === 0} empty={
        <div className="panel">
          {narrowed ? <Empty title="No partition matches" icon="search">Clear a filter to see the others.</Empty> : (
            <FirstStep permission="streams:write" title="No partition yet" icon="data">
              <Empty title="No partition yet" icon="data" command={upload(tenant, stream.id)}>Press Upload a file above, or send a Parquet file whose rows lie in [start, end) of event time. It is checked against the schema, then sealed.</Empty>
            </FirstStep>
          )}
        </div>
      }>
        {(page) => {
          const rows = page.results.toSorted((a, b) => a.start.localeCompare(b.start))
          return (
            <>
              <Timeline partitions={rows} more={page.next !== null || page.previous !== null} onPick={(id) => set({ partition: id })} />
              <Pager page={page} onTurn={turn}>{span(rows)}</Pager>
              <PartitionTable tenant={tenant} stream={stream.id} partitions={rows.toReversed()} picked={partition} onPick={(id) => set({ partition: id })} />
              <Pager page={page} onTurn={turn}>{span(rows)}</Pager>
            </>
          )
        }}
      </Resource>
    </>
  )
}

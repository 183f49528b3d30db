import { RingProgress, SimpleGrid, Stack, Text } from '@mantine/core'
import type { Overview, Used } from '../../api/types'
import { percentOf } from '../../format/money'
import { bytes, count } from '../../format/number'
import { Panel } from '../../parts/Panel'

const NEAR = 80
const FULL = 100

/** How much of each quota is used; past 80 % the ring changes colour and the text says so. */
export function QuotaPanel({ quota }: { quota: Overview['quota'] }) {
  return (
    <Panel title="Quota" note="Used of what your team may use">
      <SimpleGrid cols={3} spacing={4}>
        <Ring label="Concurrent runs" used={quota.concurrent_runs} show={count} />
        <Ring label="Models" used={quota.models} show={count} />
        <Ring label="Storage" used={quota.storage_bytes} show={bytes} />
      </SimpleGrid>
    </Panel>
  )
}

function Ring({ label, used: { used, limit }, show }: { label: string; used: Used; show: (value: number) => string }) {
  const percent = percentOf(used, limit)
  const word = percent >= FULL ? 'all in use' : percent >= NEAR ? 'nearly used up' : ''
  const color = percent >= NEAR ? 'orange.6' : 'ink.6'
  return (
    <Stack gap={2} align="center">
      <RingProgress size={84} thickness={9} roundCaps sections={used > 0 ? [{ value: Math.max(percent, 2), color }] : []} role="img" aria-label={`${label}: ${show(used)} used of ${show(limit)}`} label={<Text ta="center" size="sm" fw={650} className="num">{used > 0 && percent < 0.5 ? '< 1' : percent.toFixed(0)} %</Text>} />
      <Text size="sm" fw={600} ta="center">{label}</Text>
      <Text size="xs" className="quiet num" ta="center" style={{ whiteSpace: 'normal' }}>{show(used)} of {show(limit)}</Text>
      {word ? <Text size="xs" className="bad" fw={600} ta="center">{word}</Text> : null}
    </Stack>
  )
}

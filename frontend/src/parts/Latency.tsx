import { Text } from '@mantine/core'
import type { components } from '../api/schema'
import { count, share } from '../format/number'
import { Facts } from './Facts'

type Estimate = components['schemas']['Latency']

const micro = (value: number) => (value < 1000 ? `${value.toPrecision(2)} µs` : `${(value / 1000).toPrecision(2)} ms`)
const between = (value: number, error: number) => `${micro(value / error)} – ${micro(value * error)}`

type Budget = components['schemas']['LatencyBudget']

/** The estimated p99 of one row against the limit that administrators set, and what takes most of it. */
export function LatencyLimit({ budget }: { budget: Budget }) {
  const { flavor, limit_us, p99_us, p99_error, verdict } = budget
  if (limit_us === null) return null
  if (p99_us === null || p99_error === null) {
    return <Text size="sm" role="note">Latency limit {count(limit_us)} µs: not checked, because no measured device of the flavor {flavor} is registered. The export measures it.</Text>
  }
  const most = Object.entries(budget.shares).slice(0, 2).map(([part, of]) => `${part} ${share(of)}`).join(', ')
  return (
    <Facts rows={[
      [`p99 of one row on ${flavor}`, <span key="p99" className={verdict === 'over' ? 'bad' : ''}>about {count(Math.round(p99_us))} of {count(limit_us)} µs{verdict === 'over' ? ' – over the limit' : ''}</span>, `An estimate: ${between(p99_us, p99_error)}. Registration refuses a spec whose estimate is over the limit; the export measures it.`],
      ['Most of it', most],
    ]} />
  )
}

/** What serving is estimated to take on each measured flavor, as the range that its error leaves. */
export function Latency({ estimates }: { estimates: Estimate[] }) {
  if (estimates.length === 0) return <Text size="sm" className="quiet">Latency is estimated once an administrator has registered a measured device.</Text>
  return (
    <Facts rows={estimates.flatMap((each) => [
      [`p50 on ${each.flavor}, batch ${each.batch}`, between(each.p50_us, each.p50_error), `Estimated for ${each.device}: the exported graph on one thread, within a factor of ${each.p50_error.toFixed(2)} on shapes that the fit had not seen. The export measures it.`] as const,
      [`p99 on ${each.flavor}, batch ${each.batch}`, between(each.p99_us, each.p99_error)] as const,
    ])} />
  )
}

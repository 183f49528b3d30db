import { Text } from '@mantine/core'
import type { components } from '../api/schema'
import { Facts } from './Facts'

type Estimate = components['schemas']['Latency']

const micro = (value: number) => (value < 1000 ? `${value.toPrecision(2)} µs` : `${(value / 1000).toPrecision(2)} ms`)
const between = (value: number, error: number) => `${micro(value / error)} – ${micro(value * error)}`

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

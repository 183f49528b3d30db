import type { Model } from '../api/types'
import { useMay } from './context'
import { AnchorLink } from './links'

/** A stream by name; a link to its data for roles that see them. */
export function StreamName({ tenant, stream }: { tenant: string; stream: Model['stream'] }) {
  const mayOpen = useMay('streams:read')
  return mayOpen ? <AnchorLink to="/t/$tenant/data" params={{ tenant }} search={{ stream: stream.id }} underline="always" style={{ fontSize: 'inherit' }}>{stream.name}</AnchorLink> : <>{stream.name}</>
}

import { Alert, Text } from '@mantine/core'
import { Problem, type Use } from '../../api/problem'
import { count } from '../../format/number'
import { useMay } from '../../parts/context'
import { AnchorLink } from '../../parts/links'
import { calledBy, kindWords, type Uses } from './removal'

interface InUseProps {
  tenant: string
  error: Error
  uses: Uses
}

/** Why something is kept: what needs it, where each of them is, and how to go on. */
export function InUse({ tenant, error, uses: { shown, more } }: InUseProps) {
  return (
    <Alert color="red" variant="light" role="alert">
      {error.message}
      <ul aria-label="In use by" tabIndex={0} style={{ margin: '6px 0', paddingLeft: 18, maxHeight: 220, overflowY: 'auto' }}>
        {shown.map((use) => <li key={`${use.kind} ${use.id}`}>{kindWords(use)}: <Called tenant={tenant} use={use} /></li>)}
      </ul>
      {more > 0 ? <Text size="sm">and {count(more)} more</Text> : null}
      {error instanceof Problem && error.mend ? <Text size="sm">{error.mend}</Text> : null}
    </Alert>
  )
}

/** A use's name; it leads to the use's page where there is one that the role may open. */
function Called({ tenant, use }: { tenant: string; use: Use }) {
  const models = useMay('models:read')
  const runs = useMay('runs:read')
  const name = calledBy(use)
  if (use.kind === 'model' && models) return <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: use.id }} size="sm" underline="always">{name}</AnchorLink>
  if (use.kind === 'run' && runs) return <AnchorLink to="/t/$tenant/runs/$run" params={{ tenant, run: use.id }} size="sm" underline="always">{name}</AnchorLink>
  return <span title={use.id}>{name}</span>
}

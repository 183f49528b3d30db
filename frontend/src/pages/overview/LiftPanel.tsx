import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ModelCard } from '../../api/types'
import { ChartCard } from '../../charts/ChartCard'
import { ForestPlot } from '../../charts/ForestPlot'
import { ends } from '../../charts/scale'
import type { Table } from '../../charts/table'
import { count, plural } from '../../format/number'
import { AnchorLink } from '../../parts/links'
import { Hint } from '../../parts/Hint'
import { Panel } from '../../parts/Panel'
import { FirstModel } from '../models/FirstModel'

const NOTE = 'Dots are estimates, bars their 95 % intervals. Control is the same model, trained on the same rows without the foundation model.'

const MOST_ROWS = 24
const MOST_WAITING = 5

function figures(models: ModelCard[]): Table {
  return {
    columns: ['model', 'task', 'lift (% NE)', 'low (% NE)', 'high (% NE)', 'NE control', 'NE treatment', 'rows'],
    rows: models.map((model) => [model.name, model.task, model.lift.value, model.lift.low, model.lift.high, model.ne.control, model.ne.treatment, model.lift.rows]),
  }
}

/** `registered` counts all models of the tenant; the overview brings the first of them by name. */
export function LiftPanel({ tenant, models, registered }: { tenant: string; models: ModelCard[]; registered: number }) {
  if (models.length === 0) return <Panel title="Lift per model"><FirstModel tenant={tenant} /></Panel>
  const waiting = models.filter((model) => model.lift.value === null)
  const ranked = models.filter((model) => model.lift.value !== null).toSorted((a, b) => (b.lift.value ?? 0) - (a.lift.value ?? 0))
  const shown = ends(ranked, MOST_ROWS)
  const hint = (
    <Hint about="lift">
      Lift is how much lower the normalized entropy (NE, log loss divided by the entropy of the base rate) of predictions becomes with the foundation model. 0.02 % already matters in this trade.
    </Hint>
  )
  return (
    <ChartCard title="Lift per model, % NE gain" note={NOTE} table={figures(models)} aside={hint}>
      {shown.length ? <ForestPlot tenant={tenant} models={shown} /> : null}
      {shown.length < ranked.length ? <Rest tenant={tenant}>The {MOST_ROWS / 2} highest and the {MOST_ROWS / 2} lowest of {count(ranked.length)}.</Rest> : null}
      {waiting.slice(0, MOST_WAITING).map((model) => (
        <Text key={model.id} size="sm" className="quiet" mt={4}>
          <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: model.id }} underline="always">{model.name}</AnchorLink>: – {model.lift.reason || 'no committed partition yet'}
        </Text>
      ))}
      {waiting.length > MOST_WAITING ? <Rest tenant={tenant}>{plural(waiting.length - MOST_WAITING, 'more waits', 'more wait')} for a first figure.</Rest> : null}
      {models.length < registered ? <Rest tenant={tenant}>Looked at here: the first {count(models.length)} by name of {count(registered)}.</Rest> : null}
    </ChartCard>
  )
}

/** What the panel leaves out, and where it is. */
function Rest({ tenant, children }: { tenant: string; children: ReactNode }) {
  return <Text size="sm" className="quiet" mt={4}>{children} <AnchorLink to="/t/$tenant/models" params={{ tenant }} underline="always">All models</AnchorLink></Text>
}

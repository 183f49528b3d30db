import { Text } from '@mantine/core'
import type { ModelCard } from '../../api/types'
import { ChartCard } from '../../charts/ChartCard'
import { ForestPlot } from '../../charts/ForestPlot'
import type { Table } from '../../charts/table'
import { AnchorLink } from '../../parts/links'
import { Hint } from '../../parts/Hint'
import { Panel } from '../../parts/Panel'
import { FirstModel } from '../models/FirstModel'

const NOTE = 'Dots are estimates, bars their 95 % intervals. Control is the same model, trained on the same rows without the foundation model.'

function figures(models: ModelCard[]): Table {
  return {
    columns: ['model', 'task', 'lift (% NE)', 'low (% NE)', 'high (% NE)', 'NE control', 'NE treatment', 'rows'],
    rows: models.map((model) => [model.name, model.task, model.lift.value, model.lift.low, model.lift.high, model.ne.control, model.ne.treatment, model.lift.rows]),
  }
}

export function LiftPanel({ tenant, models }: { tenant: string; models: ModelCard[] }) {
  if (models.length === 0) return <Panel title="Lift per model"><FirstModel tenant={tenant} /></Panel>
  const waiting = models.filter((model) => model.lift.value === null)
  const hint = (
    <Hint about="lift">
      Lift is how much lower the normalized entropy (NE, log loss divided by the entropy of the base rate) of predictions becomes with the foundation model. 0.02 % already matters in this trade.
    </Hint>
  )
  return (
    <ChartCard title="Lift per model, % NE gain" note={NOTE} table={figures(models)} aside={hint}>
      {waiting.length < models.length ? <ForestPlot tenant={tenant} models={models} /> : null}
      {waiting.map((model) => (
        <Text key={model.id} size="sm" className="quiet" mt={4}>
          <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: model.id }} underline="always">{model.name}</AnchorLink>: – {model.lift.reason || 'no committed partition yet'}
        </Text>
      ))}
    </ChartCard>
  )
}

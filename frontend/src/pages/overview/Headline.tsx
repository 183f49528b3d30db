import { Text } from '@mantine/core'
import type { Overview } from '../../api/types'
import { liftText, verdict } from '../../format/lift'
import { budgetOfOverview, holds, left } from '../../format/budget'
import { amount, money } from '../../format/money'
import { plural, share } from '../../format/number'
import { AnchorLink } from '../../parts/links'

const NAMED = 3

/** The page in three sentences: gained, paid, left. */
export function Headline({ tenant, data }: { tenant: string; data: Overview }) {
  const { spend, models, quota } = data
  const measured = models.filter((model) => model.lift.value !== null)
  const gaining = measured.filter((model) => verdict(model.lift) === 'gain')
  const losing = measured.filter((model) => verdict(model.lift) === 'loss')
  const best = (gaining.length ? gaining : measured).toSorted((a, b) => (b.lift.value ?? 0) - (a.lift.value ?? 0))[0]
  const budget = amount(spend.budget)
  const held = budgetOfOverview(data)

  return (
    <div className="grid">
      <Tile tone={gaining.length ? 'good' : losing.length ? 'bad' : 'quiet'} label="What you gain" figure={gainFigure(models.length < quota.models.used ? `the first ${models.length} models` : plural(models.length, 'model'), measured.length, gaining.length)}>
        {best ? (
          <>{verdict(best.lift) === 'gain' ? 'Most' : 'Nearest'}: <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: best.id }} underline="always">{best.name}</AnchorLink>, <span className="num">{liftText(best.lift).full}</span></>
        ) : 'A model’s lift appears when its first partitions are trained.'}
        {losing.length ? <>. <span className="bad">Losing: {losing.slice(0, NAMED).map((model) => model.name).join(', ')}{losing.length > NAMED ? ` and ${losing.length - NAMED} more` : ''}</span></> : null}
      </Tile>
      <Tile label="What it costs" figure={`${money(spend.spent, spend.currency)}${budget > 0 ? ` of ${money(spend.budget, spend.currency)}` : ''}`}>
        {budget > 0 ? <>of your <AnchorLink to="/t/$tenant/costs" params={{ tenant }} underline="always">budget</AnchorLink> is spent ({share(amount(spend.spent) / budget)})</> : <><AnchorLink to="/t/$tenant/costs" params={{ tenant }} underline="always">spent</AnchorLink> in this period</>}; the foundation model adds {money(spend.fm_share, spend.currency)} outside it
      </Tile>
      <Tile label="What is left" figure={budget > 0 ? money(String(left(held)), spend.currency) : 'No budget set'}>
        {budget === 0 ? 'Ask a platform administrator for one; ' : holds(held) ? <><span className="bad">held back: the budget acts from {spend.act_percent} % on</span>; </> : 'not yet spent or reserved; '}
        room for {plural(Math.max(0, quota.models.limit - quota.models.used), 'more model', 'more models')}
      </Tile>
    </div>
  )
}

function gainFigure(of: string, measured: number, gaining: number): string {
  if (measured === 0) return 'Not measured yet'
  if (gaining === 0) return 'No clear gain yet'
  return `${gaining} of ${of} ${gaining === 1 ? 'gains' : 'gain'}`
}

function Tile({ label, figure, tone = '', children }: { label: string; figure: string; tone?: string; children: React.ReactNode }) {
  return (
    <section className="panel w4" style={{ padding: 'var(--mantine-spacing-md)' }} aria-label={label}>
      <Text size="sm" fw={600} className="quiet">{label}</Text>
      <Text fz={25} fw={680} lh={1.3} className={tone} style={{ letterSpacing: '-0.01em', fontVariantNumeric: 'tabular-nums' }}>{figure}</Text>
      <Text size="sm" className="quiet">{children}</Text>
    </section>
  )
}

import type { Model } from '../../api/types'
import { liftText } from '../../format/lift'
import { count, score, share } from '../../format/number'
import { signed } from '../../format/lift'
import { duration, minute } from '../../format/time'
import { Figure } from '../../parts/Figure'
import { LiftValue } from '../../parts/LiftValue'

export function ModelFigures({ model }: { model: Model }) {
  const { lift, ne, auc } = model
  const covered = lift.covered
  const gained = auc.control !== null && auc.treatment !== null ? auc.treatment - auc.control : null
  return (
    <section className="panel" aria-label="Key figures" style={{ padding: 'var(--mantine-spacing-md)' }}>
      <div className="figures">
        <Figure label="Lift, all rows" size="lg" hint="NE gain of treatment over control with the 95 % bootstrap interval over user buckets, from committed partitions only; the time is event time (UTC)." sub={lift.value === null ? null : `${count(lift.rows)} rows up to ${minute(lift.as_of)}`}>
          <LiftValue lift={lift} mark />
        </Figure>
        <Figure label="Lift, covered rows" hint="The same over the rows that carried a label of the foundation model." sub={`${count(covered.rows)} rows; coverage ${share(model.coverage)}`}>
          {liftText(covered).full}
        </Figure>
        <Figure label="NE, control → treatment" hint="Normalized entropy: log loss divided by the entropy of the base rate; lower is better. Measured progressively: each row is predicted before it is trained on." sub="lower is better">
          {score(ne.control)} → {score(ne.treatment)}
        </Figure>
        <Figure label="AUC, treatment" sub={gained === null ? 'control –' : `control ${score(auc.control)} (${signed(gained, 4)})`}>{score(auc.treatment)}</Figure>
        <Figure label="Freshness gap" hint="Event time of the newest rows minus the watermark of the snapshot that labelled them." sub="behind the newest rows">{duration(model.freshness_seconds)}</Figure>
      </div>
    </section>
  )
}

import { Text, Tooltip } from '@mantine/core'
import type { Lift } from '../api/types'
import { type Interval, liftText, verdict, VERDICT_WORDS } from '../format/lift'
import { count, NONE } from '../format/number'

const TONE = { gain: 'good', loss: 'bad', unclear: 'unsure', none: 'quiet' } as const
const MARK = { gain: '▲ ', loss: '▼ ', unclear: '', none: '' } as const

/** `+0.84 % NE ± 0.12`; hover and focus give the exact interval and what it rests on. Without a value: a dash and the reason. */
export function LiftValue({ lift, mark = false, reason = true }: { lift: Lift | Interval; mark?: boolean; reason?: boolean }) {
  const text = liftText(lift)
  const judged = verdict(lift)
  const why = 'reason' in lift ? lift.reason : ''
  if (lift.value == null) {
    return <span className="quiet"><span className="num">{NONE}</span>{why && reason ? <Text span size="sm"> {why}</Text> : null}</span>
  }
  const basis = 'rows' in lift ? `, over ${count(lift.rows)} rows of ${count(lift.users)} users` : ''
  return (
    <Tooltip label={`${text.range}${basis}: ${VERDICT_WORDS[judged]}.${why ? ` ${why}` : ''}`}>
      <span className="num" data-testid="lift">
        <span className={TONE[judged]}>{mark ? <span aria-hidden>{MARK[judged]}</span> : null}{text.figure}</span>{' '}
        <span className="quiet" style={{ fontWeight: 400 }}>{text.spread}</span>
      </span>
    </Tooltip>
  )
}

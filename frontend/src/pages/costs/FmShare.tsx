import { Stack, Text } from '@mantine/core'
import type { Costs } from '../../api/types'
import { money } from '../../format/money'
import { count, share } from '../../format/number'
import { day } from '../../format/time'
import { Panel } from '../../parts/Panel'

/** How the tenant's part of the foundation model's cost came about. */
export function FmShare({ costs, className }: { costs: Costs; className: string }) {
  const fm = costs.fm
  return (
    <Panel title="Share of the foundation model’s cost" note={fm.how} className={className}>
      {fm.allocations.length === 0 ? <Text size="sm" className="quiet">No period has been allocated yet.</Text> : (
        <Stack gap="sm">
          {fm.allocations.map((line) => (
            <div key={`${line.foundation_model} ${line.period_start}`}>
              <Text size="sm" fw={600}>{line.foundation_model}, {day(line.period_start)} to {day(line.period_end)}{line.closed ? '' : ', still running'}</Text>
              <Text size="sm" className="num" style={{ whiteSpace: 'normal' }}>
                {count(line.rows)} of {count(line.rows_total)} labelled rows ({share(line.rows_total ? line.rows / line.rows_total : null)}) of {money(line.total, costs.currency)} = <b>{money(line.amount, costs.currency)}</b>
              </Text>
            </div>
          ))}
        </Stack>
      )}
    </Panel>
  )
}

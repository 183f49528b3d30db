import { Text } from '@mantine/core'
import type { PartitionProblem } from '../../api/types'
import { count, plural } from '../../format/number'

const SHOWN = 5

/** Why a partition was rejected: column, row, what was expected and what was found. */
export function Problems({ problems }: { problems: PartitionProblem[] }) {
  return (
    <div className="bad" role="note">
      <Text size="sm" fw={600}>{plural(problems.length, 'problem')}; mend the file and upload it again</Text>
      <ul style={{ margin: 0, paddingLeft: 18 }}>
        {problems.slice(0, SHOWN).map((problem, at) => (
          <li key={at} style={{ fontSize: 13 }}>
            <b>{problem.column ?? 'file'}</b>{problem.row === null ? '' : `, row ${count(problem.row)}`}: {problem.message}
            {problem.expected && !problem.message.includes(problem.expected) ? ` (expected ${problem.expected}, found ${problem.found ?? 'nothing'})` : ''}
          </li>
        ))}
      </ul>
      {problems.length > SHOWN ? <Text size="sm">and {count(problems.length - SHOWN)} more</Text> : null}
    </div>
  )
}

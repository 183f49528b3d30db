/** How far a partition has come, in the order of its way through the platform. */
import type { Partition } from '../../api/types'

export interface Stage {
  name: string
  reached: (partition: Partition) => boolean
}

const SEALED: Stage = { name: 'sealed', reached: (partition) => partition.state === 'sealed' }
const SCORED: Stage = { name: 'scored', reached: (partition) => partition.label_sets > 0 }
const TRAINED: Stage = { name: 'trained', reached: (partition) => partition.trained > 0 }

/** The rows of the timeline. */
export const STAGES = [SEALED, SCORED, TRAINED]

/** `sealed, scored, not trained`, or the state while there is no stage. */
export function summary(partition: Partition): string {
  if (partition.state !== 'sealed') return partition.state
  return STAGES.map((stage) => (stage.reached(partition) ? stage.name : `not ${stage.name}`)).join(', ')
}

/** How far a partition has come, in the order of its way through the platform. */
import type { Partition } from '../../api/types'

export interface Stage {
  name: string
  reached: (partition: Partition) => boolean
}

const SEALED: Stage = { name: 'sealed', reached: (partition) => partition.state === 'sealed' }
const SCORED: Stage = { name: 'scored', reached: (partition) => partition.label_sets > 0 }
const TRAINED: Stage = { name: 'trained', reached: (partition) => (partition.trained ?? 0) > 0 }

/** The rows of the timeline; `trained` only where the platform reports it. */
export function stages(partitions: Partition[]): Stage[] {
  return partitions.some((partition) => partition.trained !== undefined) ? [SEALED, SCORED, TRAINED] : [SEALED, SCORED]
}

/** `sealed, scored, not trained`, or the state while there is no stage. */
export function summary(partition: Partition, all: Stage[]): string {
  if (partition.state !== 'sealed') return partition.state
  return all.map((stage) => (stage.reached(partition) ? stage.name : `not ${stage.name}`)).join(', ')
}

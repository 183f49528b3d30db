/** Taking data away for good, in words: what is lost by it, and what keeps the platform from it. */
import { Problem, type Use } from '../../api/problem'
import type { Partition, Stream } from '../../api/types'
import { bytes, count, plural } from '../../format/number'

export interface Uses {
  /** Some of them, at most 50. */
  shown: readonly Use[]
  /** How many more there are. */
  more: number
}

/** What still uses the thing, where that is why the platform kept it; null for every other failure. */
export function usesIn(error: Error | null): Uses | null {
  if (!(error instanceof Problem) || error.code !== 'in_use') return null
  return { shown: error.uses, more: Math.max(0, error.usesCount - error.uses.length) }
}

/** What a use is, in words: `foundation model`. */
export const kindWords = ({ kind }: Use) => kind.replaceAll('_', ' ')

/** What a use is called; the end of its id where it has no name. */
export const calledBy = ({ id, name }: Use) => name || `…${id.slice(-8)}`

/** What deleting a partition costs, and what it gives back. */
export function partitionLoss({ state, rows, bytes: size }: Pick<Partition, 'state' | 'rows' | 'bytes'>): string {
  if (state === 'rejected') return 'The list of its problems goes; its file went when it was rejected, and took none of the storage quota since.'
  const held = rows === null ? bytes(size) : `${bytes(size)}, ${plural(rows, 'row')}`
  return `Its file (${held}) is deleted and cannot be brought back. ${bytes(size)} of the storage quota become free, and the interval can be uploaded again. What a model, a run or a label set has used stays.`
}

/** What deleting a stream costs. */
export function streamLoss({ partitions: { sealed, rejected } }: Pick<Stream, 'partitions'>): string {
  const first = sealed + rejected === 0 ? 'Only a stream without partitions and models is deleted.' : `Only a stream without partitions and models is deleted; this one has ${count(sealed)} sealed and ${count(rejected)} rejected, to be deleted first with their files and rows.`
  return `Its schema and its terms are lost and cannot be brought back; its name becomes free. ${first}`
}

/** A model while it is described, and the spec that comes of it. */
import type { Stream } from '../../api/types'
import { named } from './firstSpec'

export interface ModelDraft {
  features: string[]
  tasks: string[]
  backbone: string
  embeddingDim: number
  /** Hidden widths as typed: `64, 32`. */
  mlp: string
  preset: string
}

/** What a model on the stream may read and predict; privileged features are the teacher's alone. */
export function choicesOf(stream: Pick<Stream, 'schema'>): { features: string[]; tasks: string[] } {
  return {
    features: named(stream.schema.features).filter((feature) => !feature.privileged).map((feature) => feature.name),
    tasks: named(stream.schema.tasks).map((task) => task.name),
  }
}

/** The spec as the API takes it; null while something is missing. */
export function specOf({ features, tasks, backbone, embeddingDim, mlp, preset }: ModelDraft): Record<string, unknown> | null {
  const widths = mlp.split(',').map((part) => Number(part.trim()))
  if (features.length === 0 || tasks.length === 0 || widths.some((width) => !Number.isInteger(width) || width < 1)) return null
  return { model: { backbone, features, tasks, embedding_dim: embeddingDim, mlp: widths }, optimizer: {}, supervision: { preset } }
}

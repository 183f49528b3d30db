/** A complete first model for a stream: all its features that may be served, its first task, the safe preset. */
import type { Stream } from '../../api/types'

const named = (value: unknown): { name: string; privileged: boolean }[] =>
  Array.isArray(value)
    ? value.flatMap((item: unknown) =>
        item !== null && typeof item === 'object' && 'name' in item && typeof item.name === 'string'
          ? [{ name: item.name, privileged: 'privileged' in item && item.privileged === true }]
          : [],
      )
    : []

/** The body of `POST …/models`; null when the schema names no feature or no task. */
export function firstModel(stream: Pick<Stream, 'id' | 'schema'>): object | null {
  const features = named(stream.schema.features).filter((feature) => !feature.privileged).map((feature) => feature.name)
  const task = named(stream.schema.tasks)[0]?.name
  if (features.length === 0 || task === undefined) return null
  return { name: `${task}-1`, stream: stream.id, spec: { model: { backbone: 'dcnv2', features, task }, optimizer: {}, supervision: { preset: 'safe' } } }
}

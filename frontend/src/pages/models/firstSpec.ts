/** A complete first model for a stream: all its features that may be served, its first task, the safe preset. */
import type { Foundation, Stream } from '../../api/types'

interface Named { name: string; kind: string; catalogue: string; privileged: boolean }

const text = (item: object, key: string): string => {
  const value: unknown = key in item ? (item as Record<string, unknown>)[key] : ''
  return typeof value === 'string' ? value : ''
}

/** Features or tasks of a schema. */
export const named = (value: unknown): Named[] =>
  Array.isArray(value)
    ? value.flatMap((item: unknown) =>
        item !== null && typeof item === 'object' && 'name' in item && typeof item.name === 'string'
          ? [{ name: item.name, kind: text(item, 'kind'), catalogue: text(item, 'catalogue'), privileged: 'privileged' in item && item.privileged === true }]
          : [],
      )
    : []

/** Whether the foundation model has a head for the task and knows every feature that the stream shares, one at least. */
function teaches(teacher: Teacher, task: Named, features: Named[]): boolean {
  const known = new Set(teacher.catalogue.map((feature) => feature.name))
  const shared = features.filter((feature) => feature.catalogue !== '')
  return teacher.task_kinds.includes(task.kind) && shared.length > 0 && shared.every((feature) => known.has(feature.catalogue))
}

type Teacher = Pick<Foundation, 'id' | 'catalogue' | 'task_kinds'>

/** The body of `POST …/models`, taught where the foundation model can; null when the schema names no feature or no task. */
export function firstModel(stream: Pick<Stream, 'id' | 'schema'>, teacher: Teacher | null): object | null {
  const all = named(stream.schema.features)
  const features = all.filter((feature) => !feature.privileged).map((feature) => feature.name)
  const first = named(stream.schema.tasks)[0]
  if (features.length === 0 || first === undefined) return null
  const task = first.name
  const taught = teacher?.id != null && teaches(teacher, first, all) ? { foundation_model: teacher.id } : {}
  return { name: `${task}-1`, stream: stream.id, ...taught, spec: { model: { backbone: 'dcnv2', features, tasks: [task] }, optimizer: {}, supervision: { preset: 'safe' } } }
}

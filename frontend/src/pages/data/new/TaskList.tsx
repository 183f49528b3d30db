import { Autocomplete, Group, Stack, Text, TextInput } from '@mantine/core'
import type { DraftTask } from './draft'

const KNOWN = ['click', 'conversion', 'like']

/** Each label's task: its name, and the kind by which the foundation model has a head for it. */
export function TaskList({ tasks, onChange }: { tasks: DraftTask[]; onChange: (tasks: DraftTask[]) => void }) {
  const set = (at: number, change: Partial<DraftTask>) => onChange(tasks.map((task, each) => (each === at ? { ...task, ...change } : task)))
  if (tasks.length === 0) return null
  return (
    <Stack gap="xs">
      {tasks.map((task, at) => (
        <Group key={task.label} align="flex-end" gap="sm">
          <Text size="sm" w={140} pb={8} style={{ overflowWrap: 'anywhere' }}>{task.label}</Text>
          <TextInput label="Task" aria-label={`Task of ${task.label}`} size="xs" w={170} value={task.name} onChange={(event) => set(at, { name: event.currentTarget.value })} />
          <Autocomplete label="Kind" aria-label={`Kind of ${task.label}`} size="xs" w={170} data={KNOWN} value={task.kind} onChange={(kind) => set(at, { kind })} />
        </Group>
      ))}
    </Stack>
  )
}

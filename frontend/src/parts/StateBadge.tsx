import { Badge, Tooltip } from '@mantine/core'

/** Colour and one explaining sentence per state word; the word itself is always shown, never colour alone. */
const STATES: Record<string, readonly [string, string]> = {
  queued: ['gray', 'Waiting for capacity, quota or budget; the reason is shown on the run.'],
  admitted: ['ink', 'Capacity is reserved; a worker is about to take it.'],
  starting: ['ink', 'A worker is starting the training process.'],
  running: ['blue', 'Working through partitions now.'],
  stopping: ['orange', 'Finishing the batch and saving before it stops.'],
  succeeded: ['teal', 'All its partitions are committed.'],
  failed: ['red', 'Stopped by an error; attempts say whose fault and how to mend it.'],
  cancelled: ['gray', 'Stopped on request; committed partitions stay.'],
  active: ['teal', 'Trains on every new partition of its stream.'],
  paused: ['orange', 'Takes no new partitions until it is resumed.'],
  uploaded: ['gray', 'Received; being checked against the schema.'],
  sealed: ['teal', 'Checked and immutable.'],
  rejected: ['red', 'Does not match the schema; its problems are listed.'],
  candidate: ['gray', 'Trained; waits for the gate.'],
  published: ['teal', 'Passed the gate; labels partitions.'],
  retired: ['gray', 'Replaced by a newer snapshot; may still label late partitions.'],
  open: ['teal', 'The FM’s labels are trusted on this stream and used in training.'],
  shut: ['orange', 'The FM’s labels are not yet better than the control here, so the losses that use them are masked.'],
  ended: ['gray', 'No longer trained.'],
  abandoned: ['red', 'Given up after corruption; its partitions are consumed again elsewhere.'],
  done: ['teal', 'Finished.'],
  expired: ['gray', 'Its file was removed; the record stays.'],
  pending: ['gray', 'Waits to be sent, or to be tried again.'],
  delivered: ['teal', 'The receiver took it.'],
  dropped: ['gray', 'Not sent, as the webhook was disabled or overrun; replay it when it is enabled.'],
  disabled: ['red', 'Nothing is sent to it.'],
  lost: ['orange', 'Its worker vanished; the next attempt goes on from the last commit.'],
}

export function StateBadge({ state }: { state: string | null | undefined }) {
  if (!state) return null
  const [color, meaning] = STATES[state] ?? ['gray', '']
  const badge = <Badge color={color} variant="light" autoContrast tabIndex={meaning ? 0 : undefined} className={`state state-${color}`}>{state}</Badge>
  return meaning ? <Tooltip label={meaning}>{badge}</Tooltip> : badge
}

/** Types of events with a sentence each, in the order of the form. */
import type { EventType } from './queries'

export const EVENTS: readonly (readonly [EventType, string])[] = [
  ['run.failed', 'A run has failed for good.'],
  ['run.succeeded', 'A run has worked off all that was ready.'],
  ['run.cancelled', 'A run was stopped on request.'],
  ['partition.sealed', 'An upload was checked and is immutable now.'],
  ['partition.rejected', 'An upload does not match the schema.'],
  ['snapshot.published', 'The foundation model has a new snapshot.'],
  ['budget.threshold', '50, 80 or 100 % of the budget is spent.'],
  ['export.finished', 'An export is ready, or has failed.'],
]

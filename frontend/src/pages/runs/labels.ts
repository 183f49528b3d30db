/** Words for what a run does; the API's kinds are kept as they are in filters and addresses. */
import type { RunCard } from '../../api/types'

const KINDS: Record<string, string> = {
  'vm.train': 'Train',
  'das.score': 'Score with',
  'fm.train': 'Train',
}

export const kindLabel = (kind: string) => KINDS[kind] ?? kind

export function runTitle(run: RunCard): string {
  return `${kindLabel(run.kind)} ${(run.model ?? run.foundation_model)?.name ?? ''}`.trim()
}

export const OPEN = ['queued', 'admitted', 'starting', 'running', 'stopping']
export const STATES = [...OPEN, 'succeeded', 'failed', 'cancelled']
export const isOpen = (run: Pick<RunCard, 'state'>) => OPEN.includes(run.state)

/** Reads a snapshot's gate record, whose fields grow with the platform. */

export interface GateHead {
  task: string
  n: number | null
  candidate: number | null
  current: number | null
  calibration: number | null
}

const number = (value: unknown) => (typeof value === 'number' ? value : null)

/** Decision, reason and the comparison per head on the held-back users; empty where nothing was compared. */
export function readGate(gate: unknown): { decision: string; reason: string; heads: GateHead[] } {
  if (typeof gate !== 'object' || gate === null) return { decision: typeof gate === 'string' ? gate : '', reason: '', heads: [] }
  const { decision, reason, heads } = gate as Record<string, unknown>
  const rows = Array.isArray(heads) ? (heads as Record<string, unknown>[]) : []
  return {
    decision: typeof decision === 'string' ? decision : '',
    reason: typeof reason === 'string' ? reason : '',
    heads: rows.map((head) => ({
      task: typeof head.task === 'string' ? head.task : '',
      n: number(head.n),
      candidate: number(head.ne_candidate),
      current: number(head.ne_current),
      calibration: number(head.calibration),
    })),
  }
}

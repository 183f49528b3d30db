/** Names for what the API sends. Money is a decimal string, times are ISO 8601 in UTC, shares lie in [0, 1]. */
import type { components } from './schema'

type Schema = components['schemas']

/** Choices that may be absent; the OpenAPI file names only the choices themselves. */
type Absent<T, K extends keyof T, V> = Omit<T, K> & { [P in K]: T[P] | V }

export interface Page<T> {
  results: T[]
  next: string | null
  previous: string | null
}

export type Me = Schema['Me']
export type Member = Schema['Member']
export type Token = Schema['Token']
export type Invitation = Schema['Invitation']
export type ServiceAccount = Schema['ServiceAccount']
export type AuditEntry = Schema['AuditEntry']
export type Account = Schema['Account']
export type Offer = Schema['Offer']

export type Overview = Schema['Overview']
export type Attention = Schema['Attention']
export type Used = Schema['Used']

/** NE gain in per cent with its 95 % bootstrap interval, over all rows and over the rows that carried an FM label. */
export type Lift = Schema['Lift']
export type ModelCard = Schema['ModelCard']
export type Model = Omit<Schema['Model'], 'supervision'> & { supervision: Absent<Schema['Teaching'], 'gate', null> }
export type CurvePoint = Absent<Schema['CurvePoint'], 'gate', null>

export type RunCard = Schema['RunCard']
export type Run = Omit<Schema['Run'], 'attempts'> & { attempts: Absent<Schema['RunAttempt'], 'fault', ''>[] }
export type RunState = Schema['RunStateEnum']

/** The schema marks what has a default as optional; answers always carry it. */
export type Stream = Required<Schema['Stream']>
export type Partition = Required<Schema['Partition']>
export type PartitionProblem = Schema['PartitionProblem']

export type Costs = Schema['Costs']
export type LedgerEntry = Schema['Ledger']
export type Foundation = Schema['Foundation']
export type Snapshot = Schema['Snapshot']

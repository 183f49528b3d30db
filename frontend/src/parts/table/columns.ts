/** What a list shows of each row: one description for the table of a wide window and the cards of a phone. */
import type { ReactNode } from 'react'

export interface Column<T> {
  /** The column's heading, and the label beside the value on a card. */
  label: string
  /** The table's heading where it differs from the label. */
  head?: ReactNode
  /** Nothing (null or '') leaves the label out of the card. */
  cell: (row: T) => ReactNode
  /** On a card: its title, the corner beside that, a line below it without label, a labelled line, one behind *More*, or
   * the row of buttons at its foot. */
  card?: 'title' | 'corner' | 'note' | 'line' | 'more' | 'actions'
  /** Figures stand at the right. */
  right?: boolean
  /** Digits of one width. */
  num?: boolean
  /** Name to sort by. */
  sort?: string
  /** Where the two differ in more than the place. */
  only?: 'table' | 'card'
  width?: number | string
  most?: number
}

/** Column name, with a leading `-` for descending; undefined is the list's own order. */
export interface Order {
  sort: string
  onSort: (column: string) => void
}

export interface Rows<T> {
  /** Names the list for those who reach it by keyboard. */
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  id: (row: T, at: number) => string
  /** Row that is shown apart and scrolled to. */
  current?: string | undefined
  /** Below a row, as wide as the list. */
  below?: (row: T) => ReactNode
  order?: Order
}

export const inTable = <T>(columns: readonly Column<T>[]): Column<T>[] => columns.filter(({ only }) => only !== 'card')

export type Place = NonNullable<Column<never>['card']>

/** Columns of one place on a card; without a word a column is a labelled line. */
export const placed = <T>(columns: readonly Column<T>[], place: Place): Column<T>[] =>
  columns.filter(({ only, card }) => only !== 'table' && (card ?? 'line') === place)

/** Whether a cell has nothing to show. */
export const blank = (cell: ReactNode): boolean => cell === null || cell === undefined || cell === '' || cell === false

const STEP = 20

/** How many cards stand before *Show more*: whole steps, and as many as it takes to show the row at `current`. */
export const shown = (steps: number, current: number): number => Math.max(steps, Math.ceil((current + 1) / STEP)) * STEP

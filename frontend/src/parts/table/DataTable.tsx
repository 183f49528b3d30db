import { Cards } from './Cards'
import type { Rows } from './columns'
import { usePhone } from './usePhone'
import { WideTable } from './WideTable'

interface DataTableProps<T> extends Rows<T> {
  /** Width below which the table scrolls sideways in its place. */
  narrowest?: number
  /** Height beyond which the table scrolls. */
  tall?: number
  /** Stands on the page by itself, outside a panel. */
  framed?: boolean
}

/** The one list of rows: a table, or cards where the window is a phone's. */
export function DataTable<T>({ narrowest, tall, framed = false, ...rows }: DataTableProps<T>) {
  const phone = usePhone()
  return phone ? <Cards {...rows} framed={framed} /> : <WideTable {...rows} framed={framed} {...(narrowest ? { narrowest } : {})} {...(tall ? { tall } : {})} />
}

/** A chart's figures as a table: for the table view, for CSV, and for people who cannot see the picture. */

export type Cell = string | number | null

export interface Table {
  columns: string[]
  rows: Cell[][]
}

function quoted(cell: Cell): string {
  if (cell === null) return ''
  // A leading = + - @ in text would be run as a formula by spreadsheets.
  const text = typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** RFC 4180 text, numbers at full precision. */
export function csv({ columns, rows }: Table): string {
  return [columns, ...rows].map((row) => row.map(quoted).join(',')).join('\r\n') + '\r\n'
}

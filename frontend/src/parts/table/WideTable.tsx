import { Table } from '@mantine/core'
import { Fragment, useEffect, useRef } from 'react'
import { Icon } from '../icons'
import { Scroll } from '../Scroll'
import { blank, type Column, inTable, type Order, type Rows } from './columns'

interface WideTableProps<T> extends Rows<T> {
  narrowest?: number
  tall?: number
  framed: boolean
}

/** Rows as a table; its first column names them. */
export function WideTable<T>({ label, columns: all, rows, id, current, below, order, narrowest, tall, framed }: WideTableProps<T>) {
  const columns = inTable(all)
  const row = useRef<HTMLTableRowElement>(null)
  useEffect(() => { if (current) row.current?.scrollIntoView({ block: 'nearest' }) }, [current])
  return (
    <Scroll label={`${label}, table`} {...(framed ? { className: 'panel' } : {})} {...(tall ? { tall } : {})}>
      <Table fz={13.5} verticalSpacing="xs" horizontalSpacing={10} stickyHeader={tall !== undefined} highlightOnHover {...(narrowest ? { miw: narrowest } : {})}>
        <Table.Thead><Table.Tr>{columns.map((column) => <Head key={column.label} column={column} order={order} />)}</Table.Tr></Table.Thead>
        <Table.Tbody>
          {rows.map((each, n) => {
            const more = below?.(each)
            const apart = id(each, n) === current
            return (
              <Fragment key={id(each, n)}>
                <Table.Tr ref={apart ? row : undefined} aria-current={apart || undefined} bg={apart ? 'var(--mantine-primary-color-light)' : undefined}>
                  {columns.map((column, at) => {
                    const place = { ta: atEnd(column) ? 'right' as const : undefined, maw: column.most, className: classes(column) }
                    return at === 0
                      ? <Table.Th key={column.label} scope="row" fw={400} {...place}>{column.cell(each)}</Table.Th>
                      : <Table.Td key={column.label} {...place}>{column.cell(each)}</Table.Td>
                  })}
                </Table.Tr>
                {blank(more) ? null : <Table.Tr><Table.Td colSpan={columns.length}>{more}</Table.Td></Table.Tr>}
              </Fragment>
            )
          })}
        </Table.Tbody>
      </Table>
    </Scroll>
  )
}

const atEnd = <T,>({ right, card }: Column<T>) => right === true || card === 'actions'
const classes = <T,>({ num, card }: Column<T>) => [num ? 'num' : '', card === 'actions' ? 'pinned' : ''].join(' ').trim()

function Head<T>({ column, order }: { column: Column<T>; order: Order | undefined }) {
  const { label, head, right, sort, width, card } = column
  const place = { scope: 'col', ta: atEnd(column) ? 'right' as const : 'left' as const, w: width, style: { verticalAlign: 'bottom' } }
  if (card === 'actions') return <Table.Th {...place} className="pinned"><span className="skip">{label}</span></Table.Th>
  if (!sort || !order) return <Table.Th {...place}>{head ?? label}</Table.Th>
  const way = order.sort === sort ? 'ascending' : order.sort === `-${sort}` ? 'descending' : 'none'
  return (
    <Table.Th {...place} aria-sort={way}>
      <button type="button" className={right ? 'sorter sorter-right' : 'sorter'} onClick={() => order.onSort(sort)}>
        <span>{head ?? label}</span>
        <span style={{ visibility: way === 'none' ? 'hidden' : 'visible' }}><Icon name={way === 'ascending' ? 'up' : 'down'} size={14} /></span>
      </button>
    </Table.Th>
  )
}

import { ActionIcon, Button, Group, Select } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { count } from '../../format/number'
import { Icon } from '../icons'
import { blank, type Column, type Order, placed, type Rows, shown } from './columns'

interface CardsProps<T> extends Rows<T> {
  framed: boolean
}

/** Rows on a phone, one card each; what matters less is folded, and a long list comes in steps. */
export function Cards<T>({ label, columns, rows, id, current, below, order, framed }: CardsProps<T>) {
  const [steps, setSteps] = useState(1)
  const card = useRef<HTMLLIElement>(null)
  const upTo = shown(steps, rows.findIndex((row, at) => id(row, at) === current))
  useEffect(() => { if (current) card.current?.scrollIntoView({ block: 'nearest' }) }, [current])
  return (
    <>
      {order ? <Sorting columns={columns} order={order} /> : null}
      <ul className={framed ? 'cards panel' : 'cards'} role="list" aria-label={label}>
        {rows.slice(0, upTo).map((row, at) => {
          const apart = id(row, at) === current
          return (
            <li key={id(row, at)} ref={apart ? card : undefined} className="item" aria-current={apart || undefined}>
              <Card columns={columns} row={row} />
              {below?.(row)}
            </li>
          )
        })}
      </ul>
      {upTo < rows.length ? <Button size="compact-sm" variant="default" mt="xs" fullWidth onClick={() => setSteps(upTo / shown(1, 0) + 1)}>Show more of {count(rows.length)}</Button> : null}
    </>
  )
}

function Card<T>({ columns, row }: { columns: readonly Column<T>[]; row: T }) {
  const corner = placed(columns, 'corner')
  const more = placed(columns, 'more').filter((column) => !blank(column.cell(row)))
  const actions = placed(columns, 'actions').filter((column) => !blank(column.cell(row)))
  return (
    <>
      <div className="card-head">
        <div className="card-title">{placed(columns, 'title').map((column) => <div key={column.label}>{column.cell(row)}</div>)}</div>
        {corner.length ? <div className="card-corner">{corner.map((column) => <div key={column.label}>{column.cell(row)}</div>)}</div> : null}
      </div>
      {placed(columns, 'note').map((column) => <div key={column.label} className="card-note">{column.cell(row)}</div>)}
      <Lines columns={placed(columns, 'line')} row={row} />
      {more.length + actions.length > 0 ? (
        <div className="card-foot">
          {more.length ? <details className="card-more"><summary>More</summary><Lines columns={more} row={row} /></details> : null}
          {actions.length ? <div className="card-actions">{actions.map((column) => <div key={column.label}>{column.cell(row)}</div>)}</div> : null}
        </div>
      ) : null}
    </>
  )
}

function Lines<T>({ columns, row }: { columns: readonly Column<T>[]; row: T }) {
  const told = columns.map((column) => [column, column.cell(row)] as const).filter(([, cell]) => !blank(cell))
  if (told.length === 0) return null
  return (
    <dl className="card-lines">
      {told.map(([column, cell]) => <div key={column.label}><dt>{column.label}</dt><dd className={column.num ? 'num' : ''}>{cell}</dd></div>)}
    </dl>
  )
}

/** What the headings of the table do: by which column, and which way. */
function Sorting<T>({ columns, order }: { columns: readonly Column<T>[]; order: Order }) {
  const down = order.sort.startsWith('-')
  const current = down ? order.sort.slice(1) : order.sort
  const data = columns.flatMap(({ sort, label }) => (sort ? [{ value: sort, label }] : []))
  return (
    <Group gap="xs" mb="sm" wrap="nowrap" align="flex-end">
      <Select label="Order" size="xs" data={data} value={current} allowDeselect={false} onChange={(column) => { if (column && column !== current) order.onSort(column) }} style={{ flex: 1 }} />
      <ActionIcon variant="default" size={30} onClick={() => order.onSort(current)} aria-label={down ? 'Highest first; turn round' : 'Lowest first; turn round'}><Icon name={down ? 'down' : 'up'} size={16} /></ActionIcon>
    </Group>
  )
}

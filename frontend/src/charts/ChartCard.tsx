import { ActionIcon, Group, Menu, Table as Grid, Tooltip } from '@mantine/core'
import { type ReactNode, useRef, useState } from 'react'
import { NONE } from '../format/number'
import { minute } from '../format/time'
import { Icon } from '../parts/icons'
import { Panel } from '../parts/Panel'
import { fileName, pngOfCanvas, pngOfSvg, save } from './download'
import { usePalette } from './palette'
import { type Cell, csv, type Table } from './table'
import { Scroll } from '../parts/Scroll'

interface ChartCardProps {
  /** States what is shown and its unit. */
  title: string
  note?: ReactNode
  table: Table
  className?: string
  aside?: ReactNode
  children: ReactNode
}

/** A chart in its frame: title, way to the figures as a table, download as PNG (of the picture in it) and CSV. */
export function ChartCard({ title, note, table, className, aside, children }: ChartCardProps) {
  const [asTable, setAsTable] = useState(false)
  const [failure, setFailure] = useState('')
  const body = useRef<HTMLDivElement>(null)
  const palette = usePalette()

  const png = async () => {
    const canvas = body.current?.querySelector('canvas')
    const svg = body.current?.querySelector<SVGSVGElement>('svg[data-chart]')
    try {
      if (canvas) save(await pngOfCanvas(canvas, title, palette), `${fileName(title)}.png`)
      else if (svg) save(await pngOfSvg(svg, title, palette), `${fileName(title)}.png`)
      setFailure('')
    } catch (error) {
      setFailure(error instanceof Error ? error.message : 'The picture could not be made; download the CSV instead.')
    }
  }
  const toggle = asTable ? 'Show the chart' : 'Show as a table'
  return (
    <Panel title={title} note={failure || note} className={className ?? ''} aside={
      <Group gap={2} wrap="nowrap">
        {aside}
        <Tooltip label={toggle}>
          <ActionIcon variant="subtle" color="gray" aria-label={toggle} aria-pressed={asTable} onClick={() => setAsTable(!asTable)}><Icon name="table" /></ActionIcon>
        </Tooltip>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={`Download: ${title}`}><Icon name="save" /></ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item disabled={asTable} onClick={() => void png()}>Picture (PNG)</Menu.Item>
            <Menu.Item onClick={() => save(new Blob([csv(table)], { type: 'text/csv' }), `${fileName(title)}.csv`)}>Figures (CSV)</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
    }>
      <div ref={body}>{asTable ? <Figures table={table} title={title} /> : children}</div>
    </Panel>
  )
}

const INSTANT = /^\d{4}-\d\d-\d\dT/

function shown(cell: Cell): string {
  if (cell === null) return NONE
  if (typeof cell === 'number') return Number(cell.toPrecision(6)).toLocaleString('en', { maximumSignificantDigits: 6 }).replace('-', '−')
  return INSTANT.test(cell) ? minute(cell) : cell
}

/** Whether a column holds figures, which stand at the right. */
const isNumeric = (table: Table, column: number) => table.rows.some((row) => typeof row[column] === 'number')

function Figures({ table, title }: { table: Table; title: string }) {
  return (
    <Scroll label={`${title}, figures`} tall={360}>
      <Grid stickyHeader fz="sm" className="num" withRowBorders>
        <Grid.Thead><Grid.Tr>{table.columns.map((name, column) => <Grid.Th key={name} scope="col" ta={isNumeric(table, column) ? 'right' : 'left'}>{name}</Grid.Th>)}</Grid.Tr></Grid.Thead>
        <Grid.Tbody>
          {table.rows.map((row, at) => <Grid.Tr key={at}>{row.map((cell, column) => <Grid.Td key={column} ta={isNumeric(table, column) ? 'right' : 'left'}>{shown(cell)}</Grid.Td>)}</Grid.Tr>)}
        </Grid.Tbody>
      </Grid>
    </Scroll>
  )
}

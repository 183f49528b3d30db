import { expect, it } from 'vitest'
import { csv } from './table'

it('quotes separators and disarms formulas', () => {
  const text = csv({ columns: ['model', 'lift (% NE)'], rows: [['a,"b"', 0.8412], ['=SUM(A1)', null], ['x', -1]] })
  expect(text).toBe('model,lift (% NE)\r\n"a,""b""",0.8412\r\n\'=SUM(A1),\r\nx,-1\r\n')
})

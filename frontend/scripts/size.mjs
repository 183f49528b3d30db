// Fails the build when what the first page loads (entry script, its static imports, styles, one font) passes the budget.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = 350
const dist = join(import.meta.dirname, '../dist')
const html = readFileSync(join(dist, 'index.html'), 'utf8')
const named = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1])
const font = readdirSync(join(dist, 'assets')).find((name) => /inter-latin-wght-normal.*\.woff2$/.test(name))
const first = [...new Set([...named, ...(font ? [`/assets/${font}`] : [])])]

const kb = (path) => {
  const bytes = readFileSync(join(dist, path))
  return (path.endsWith('.woff2') ? bytes.length : gzipSync(bytes, { level: 9 }).length) / 1000
}
let total = 0
for (const path of first) {
  total += kb(path)
  console.log(`${kb(path).toFixed(1).padStart(8)} kB  ${path}`)
}
console.log(`${total.toFixed(1).padStart(8)} kB  first page (budget ${BUDGET_KB} kB, gzip)`)
if (total > BUDGET_KB) {
  console.error('The first page is over its budget: load the new part on demand with lazyRouteComponent or lazy().')
  process.exit(1)
}

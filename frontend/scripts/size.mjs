// Fails the build when what the first page loads (entry, overview, what both import, styles, one font) passes the budget.
// `--list` shows the files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = 350
const FIRST = ['index.html', 'src/pages/overview/Overview.tsx']
const dist = join(import.meta.dirname, '../dist')
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))
const html = readFileSync(join(dist, 'index.html'), 'utf8')

const files = new Set([...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]))
const seen = new Set()
function follow(name) {
  if (seen.has(name)) return
  seen.add(name)
  const chunk = manifest[name]
  for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file)
  for (const asset of chunk.assets ?? []) if (/inter-latin-wght-normal/.test(asset)) files.add(asset)
  chunk.imports?.forEach(follow)
}
FIRST.forEach(follow)

const kb = (file) => {
  const bytes = readFileSync(join(dist, file))
  return (file.endsWith('.woff2') ? bytes.length : gzipSync(bytes, { level: 9 }).length) / 1000
}
let total = 0
for (const file of [...files].sort((a, b) => kb(b) - kb(a))) {
  total += kb(file)
  if (process.argv.includes('--list') && kb(file) > 3) console.log(`${kb(file).toFixed(1).padStart(8)} kB  ${file}`)
}
console.log(`${total.toFixed(1).padStart(8)} kB  first page, ${files.size} files (budget ${BUDGET_KB} kB, gzip)`)
if (total > BUDGET_KB) {
  console.error('The first page is over its budget: load the new part on demand with lazyRouteComponent or lazy().')
  process.exit(1)
}

// npm run conformance [-- --update]: the grid runtime x operation against the table in git; --update writes the table from Node.
import { readFileSync, writeFileSync } from 'node:fs'
import Table from 'cli-table3'
import { targets } from './targets.mjs'

const file = new URL('expected.json', import.meta.url)
const tables = {}
for (const { name, found, table } of targets) {
  if (found) tables[name] = await table(found)
  else console.log(`${name}: not installed, skipped`)
}
if (process.argv.includes('--update')) writeFileSync(file, `${JSON.stringify(tables.Node, null, 2)}\n`)
const expected = JSON.parse(readFileSync(file, 'utf8'))
const names = Object.keys(tables)
const grid = new Table({ head: ['', ...names], style: { head: [], border: [], compact: true } })
let wrong = 0
for (const operation of new Set([...Object.keys(expected), ...Object.keys(tables.Node)])) {
  const cells = names.map((name) => (tables[name][operation] === expected[operation] ? 'same' : 'DIFFERENT'))
  wrong += cells.filter((cell) => cell !== 'same').length
  grid.push([operation, ...cells])
}
console.log(grid.toString())
process.exitCode = wrong ? 1 : 0

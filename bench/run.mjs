// npm run bench [-- name …]: prints ratios measured in one run. Names pick files: npm run bench -- svd quantize
import { readdirSync } from 'node:fs'
import os from 'node:os'
import Table from 'cli-table3'
import { limits } from './limits.mjs'

const here = new URL('.', import.meta.url)
const wanted = process.argv.slice(2)

function report(title, head, rows) {
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, i) => (i ? 'right' : 'left'))
  })
  table.push(...rows)
  console.log(`\n${title}\n${table.toString()}`)
}

const peak = await limits()
console.log(`Node ${process.version}, ${os.cpus()[0].model.trim()}, one thread, medians of interleaved rounds`)
console.log(`SIMD128 multiply-adds: ${peak.f32.toFixed(1)} GFlop/s in f32, ${peak.f64.toFixed(1)} in f64`)
for (const domain of readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  for (const file of readdirSync(new URL(`${domain.name}/`, here)).sort()) {
    if (!file.endsWith('.mjs')) continue
    if (wanted.length && !wanted.some((name) => file.includes(name))) continue
    const bench = await import(new URL(`${domain.name}/${file}`, here))
    await bench.run(report, peak)
  }
}

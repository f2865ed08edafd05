import { execFileSync } from 'node:child_process'
import { init } from '../../build/index.js'
import { milliseconds } from '../harness.mjs'

const ENTRY = new URL('../../build/index.js', import.meta.url).href
const FRESH = 10

/** Milliseconds from before the import to after the first operation, in a process of its own. */
function fresh(first) {
  const code = `const t = performance.now(); const tersor = await import('${ENTRY}'); ${first}; console.log(performance.now() - t)`
  const times = Array.from({ length: FRESH }, () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '--eval', code]).toString())
  )
  return times.sort((a, b) => a - b)[FRESH >> 1]
}

export async function run(report) {
  await init()
  report(
    `cold start: import and first operation, medians of ${FRESH} fresh processes`,
    ['', 'time'],
    [
      ['import alone', milliseconds(fresh(''))],
      ['import, await init()', milliseconds(fresh('await tersor.init()'))],
      ['import, quantize a vector', milliseconds(fresh("tersor.quantize([1, 2, 3], { format: 'int8' })"))]
    ]
  )
}

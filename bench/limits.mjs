// What bounds everything else on this machine: the rate of SIMD128 multiply-adds (two operations, WebAssembly has no fused one).
import asc from 'assemblyscript/asc'
import { interleave } from './harness.mjs'

const STEPS = 1 << 20
// As many sums as sixteen registers hold beside two constants and a product: fewer wait for each other, more spill.
const CHAINS = 13

/** CHAINS independent sums of products that stay in registers. */
function source(lanes) {
  const names = Array.from({ length: CHAINS }, (_, i) => `s${i}`)
  return `export function peak(steps: i32): f64 {
    const a = ${lanes}.splat(0.999999)
    const b = ${lanes}.splat(0.000001)
    ${names.map((name, i) => `let ${name} = ${lanes}.splat(${i + 1})`).join('\n')}
    do {
      ${names.map((name) => `${name} = ${lanes}.add(${lanes}.mul(${name}, a), b)`).join('\n')}
    } while (--steps > 0)
    return <f64>${lanes}.extract_lane(${names.reduce((sum, name) => `${lanes}.add(${sum}, ${name})`)}, 0)
  }`
}

async function compile(lanes) {
  const options = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--outFile', 'peak.wasm']
  const files = { 'peak.ts': source(lanes) }
  let wasm
  const { error } = await asc.main(['peak.ts', ...options], {
    readFile: (name) => files[name] ?? null,
    writeFile: (name, contents) => {
      if (name === 'peak.wasm') wasm = contents
    },
    listFiles: () => []
  })
  if (error) throw error
  return new WebAssembly.Instance(new WebAssembly.Module(wasm), {}).exports.peak
}

/** GFlop/s of f32x4 and f64x2 multiply-adds, one thread. */
export async function limits() {
  const single = await compile('f32x4')
  const double = await compile('f64x2')
  const ms = await interleave({ single: () => single(STEPS), double: () => double(STEPS) }, { rounds: 9 })
  const rate = (lanes, time) => (STEPS * CHAINS * lanes * 2) / time / 1e6
  return { f32: rate(4, ms.single), f64: rate(2, ms.double) }
}

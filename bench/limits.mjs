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

/** A loop at the peak rate of f32x4 multiply-adds and one of f64x2, and their operations. */
export async function peakLoops() {
  const [single, double] = [await compile('f32x4'), await compile('f64x2')]
  return {
    f32: { run: () => single(STEPS), flops: STEPS * CHAINS * 8 },
    f64: { run: () => double(STEPS), flops: STEPS * CHAINS * 4 }
  }
}

/** GFlop/s of f32x4 and f64x2 multiply-adds, one thread. */
export async function limits() {
  const { f32, f64 } = await peakLoops()
  const ms = await interleave({ single: f32.run, double: f64.run }, { rounds: 9 })
  return { f32: f32.flops / ms.single / 1e6, f64: f64.flops / ms.double / 1e6 }
}

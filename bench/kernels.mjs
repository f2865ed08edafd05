// Kernels alone, without the face: for benches of what one of them takes.
import { readdirSync, readFileSync } from 'node:fs'
import { check } from './harness.mjs'

const folder = new URL('../build/kernels/', import.meta.url)
/** Below it kernels expect nothing of theirs; as ARENA_START of src/core/memory.ts. */
const START = 1024

/** The kernels of all modules over a memory of so many pages, and what gives aligned room in it. */
export function kernelsOver(pages) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const kernels = {}
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.wasm'))) {
    const module = new WebAssembly.Module(readFileSync(new URL(file, folder)))
    Object.assign(kernels, new WebAssembly.Instance(module, { env: { memory } }).exports)
  }
  let top = START
  const alloc = (bytes) => {
    const at = top
    top += Math.ceil(bytes / 64) * 64
    check(top <= memory.buffer.byteLength, 'room')
    return at
  }
  return { memory, kernels, alloc }
}

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createEngineOf, engineOver } from '../../src/core/engine.js'
import { checksumOf, textOf } from '../../tools/kernels.mjs'
import type { KernelModule } from '../../src/core/modules.js'

const folder = new URL('../../build/kernels/', import.meta.url)
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.wasm'))
  .map((file) => file.slice(0, -5))
const bytesOf = (name: string): Uint8Array => readFileSync(new URL(`${name}.wasm`, folder))

/** Ids of the sections of a module (WebAssembly core specification, 5.5.2). */
const SECTIONS: Readonly<Record<string, number>> = { global: 6, start: 8, element: 9, data: 11, 'data count': 12 }

function sectionsOf(bytes: Uint8Array): number[] {
  const found: number[] = []
  for (let at = 8; at < bytes.length;) {
    found.push(bytes[at++]!)
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      size |= (byte & 127) << shift
      if (byte < 128) break
    }
    at += size
  }
  return found
}

describe.each(names)('the kernels of %s', (name) => {
  it('have no state: no global, start, element or data section', () => {
    const found = sectionsOf(bytesOf(name))
    // Types, imports, functions, exports, code: the reader of sections works.
    expect(found).toEqual(expect.arrayContaining([1, 2, 3, 7, 10]))
    expect(Object.entries(SECTIONS).filter(([, id]) => found.includes(id))).toEqual([])
  })

  it('import a memory and nothing else, and export functions alone', () => {
    const module = new WebAssembly.Module(new Uint8Array(bytesOf(name)))
    expect(WebAssembly.Module.imports(module)).toMatchObject([{ module: 'env', name: 'memory', kind: 'memory' }])
    const kinds = new Set(
      WebAssembly.Module.exports(module).map(({ name, kind }) => (name === 'memory' ? 'memory' : kind))
    )
    kinds.delete('memory')
    expect([...kinds]).toEqual(['function'])
  })

  it('are carried as they are', async () => {
    const { kernels } = (await import(new URL(`${name}.js`, folder).href)) as { kernels: KernelModule }
    expect(kernels.name).toBe(name)
    expect(kernels.text).toBe(textOf(bytesOf(name)))
    expect(kernels.sum).toBe(checksumOf(bytesOf(name)))
    expect(kernels.text.length).toBeLessThan(1.3 * bytesOf(name).length)
  })
})

it('modules share one memory in any order, and leave it as it is', async () => {
  const modules = await Promise.all(
    names.map(async (name) => ((await import(new URL(`${name}.js`, folder).href)) as { kernels: KernelModule }).kernels)
  )
  const { memory } = createEngineOf<object>([modules[0]!])
  const before = memory.u8(0, memory.size).slice()
  for (const order of [modules, [...modules].reverse()]) {
    const { kernels } = engineOver<{ sqrtF64(x: number): number }>(memory, order)
    expect(kernels.sqrtF64(4)).toBe(2)
    expect(memory.u8(0, memory.size)).toEqual(before)
  }
  expect(memory.instances.size).toBe(names.length)
})

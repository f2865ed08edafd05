import { runInNewContext } from 'node:vm'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Kernels } from '../../src/quantize/engine.js'
import { checksumOf, textOf } from '../../tools/kernels.mjs'

type Tersor = typeof import('../../src/index.js')

/** The package as at the first call: nothing compiled yet. */
async function fresh(): Promise<Tersor> {
  vi.resetModules()
  return import('../../src/index.js')
}

const first = (tersor: Tersor): unknown => tersor.quantize([1, -2], { format: 'int8' })

describe('a runtime that lacks something says so at the first use, once and clearly', () => {
  beforeEach(() => vi.resetModules())
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  it('without SIMD', async () => {
    const tersor = await fresh()
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    expect(() => first(tersor)).toThrow(/needs the WebAssembly feature SIMD \(SIMD128/)
    await expect(tersor.init()).rejects.toThrow(/SIMD128/)
    vi.restoreAllMocks()
    expect(first(tersor)).toMatchObject({ format: 'int8' })
  })

  it('without WebAssembly', async () => {
    const tersor = await fresh()
    vi.stubGlobal('WebAssembly', undefined)
    expect(() => first(tersor)).toThrow(/needs WebAssembly, which this runtime does not have/)
  })

  it('where compiling is forbidden', async () => {
    const tersor = await fresh()
    const refused = new WebAssembly.CompileError('Refused to compile')
    vi.spyOn(WebAssembly, 'Module').mockImplementation(function () {
      throw refused
    })
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(refused)
    const message: unknown = expect.stringMatching(/kernels of quantize.*'wasm-unsafe-eval'/)
    expect(() => first(tersor)).toThrow(expect.objectContaining({ message, cause: refused }))
    await expect(tersor.init()).rejects.toThrow(/'wasm-unsafe-eval'/)
  })
})

describe('modules of kernels', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('of any bytes come back from their text', async () => {
    vi.resetModules()
    const { compileModule } = await import('../../src/core/modules.js')
    // A custom section (core specification, 5.5.3) holds any bytes; the section's size and its name's take three of them.
    const payload = Array.from({ length: 1000 }, (_, i) => (i * 7 + (i >> 3)) & 255)
    const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 0, 0xea, 7, 1, 120, ...payload)
    const made = vi.spyOn(WebAssembly, 'Module')
    compileModule({ name: 'any', text: textOf(bytes), sum: checksumOf(bytes), module: undefined })
    expect([...(made.mock.calls[0]![0] as Uint8Array)]).toEqual([...bytes])
    expect(new Set(payload).size).toBe(256)
    made.mockRestore()
  })

  it('of another realm are taken as they are', async () => {
    vi.resetModules()
    const { createEngineOf } = await import('../../src/core/engine.js')
    const bytes = readFileSync(new URL('../../build/kernels/quantize.wasm', import.meta.url))
    const module = runInNewContext('new WebAssembly.Module(bytes)', { bytes }) as object
    expect(module).not.toBeInstanceOf(WebAssembly.Module)
    const { kernels } = createEngineOf<Kernels>([{ name: 'quantize', text: '', sum: 0, module }])
    expect(kernels.sqrtF64(9)).toBe(3)
  })

  it('that are damaged give one error, which names the domain', async () => {
    vi.resetModules()
    const { compileModule, startCompiling } = await import('../../src/core/modules.js')
    const { kernels } = await import('../../build/kernels/prune-masks.js')
    const flip = (at: number): string =>
      kernels.text.slice(0, at) + (kernels.text[at] === 'A' ? 'B' : 'A') + kernels.text.slice(at + 1)
    const damaged = expect.objectContaining({
      code: 'damaged-module',
      message: "tersor's kernels of prune-masks are damaged in this copy; install or bundle it again"
    })
    // The header, an instruction, the last digit; a text that is cut or no number.
    const texts = [0, 1001, kernels.text.length - 1].map(flip)
    for (const text of [
      ...texts,
      kernels.text.slice(0, -2),
      kernels.text.slice(0, -1),
      `é${kernels.text.slice(1)}`,
      ''
    ]) {
      expect(() => compileModule({ ...kernels, text })).toThrow(damaged)
      await expect(startCompiling({ ...kernels, text })).rejects.toThrow(damaged)
    }
    expect(compileModule(kernels)).toBeInstanceOf(WebAssembly.Module)
  })

  it('that a runtime refuses are named', async () => {
    const tersor = await fresh()
    tersor.prune([1, 2], { sparsity: 0.5 })
    const cause = new RangeError('WebAssembly.Instance(): Out of memory')
    vi.spyOn(WebAssembly, 'Instance').mockImplementation(function () {
      throw cause
    })
    const message: unknown = expect.stringMatching(
      /refuses tersor's kernels of quantize: .*Out of memory; give it more memory/
    )
    expect(() => first(tersor)).toThrow(expect.objectContaining({ code: 'unsupported-runtime', message, cause }))
    expect(tersor.prune([1, 2], { sparsity: 0.5 }).sparsity).toBe(0.5)
    vi.restoreAllMocks()
    expect(first(tersor)).toMatchObject({ format: 'int8' })
  })
})

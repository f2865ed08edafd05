import { runInNewContext } from 'node:vm'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

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
    const message: unknown = expect.stringContaining("'wasm-unsafe-eval'")
    expect(() => first(tersor)).toThrow(expect.objectContaining({ message, cause: refused }))
    await expect(tersor.init()).rejects.toThrow(/'wasm-unsafe-eval'/)
  })
})

it('base64 is decoded alike by each of the ways that runtimes have', async () => {
  const expected = first(await fresh())
  vi.stubGlobal('Buffer', undefined)
  const byAtob = first(await fresh())
  vi.unstubAllGlobals()
  Object.assign(Uint8Array, { fromBase64: (text: string) => new Uint8Array(Buffer.from(text, 'base64')) })
  try {
    expect(first(await fresh())).toEqual(expected)
  } finally {
    delete (Uint8Array as { fromBase64?: unknown }).fromBase64
  }
  expect(byAtob).toEqual(expected)
})

it('a module of another realm is taken as it is', async () => {
  vi.resetModules()
  const { adoptModule, createEngine } = await import('../../src/core/engine.js')
  const bytes = readFileSync(new URL('../../build/core/core.wasm', import.meta.url))
  const foreign = runInNewContext('new WebAssembly.Module(bytes)', { bytes }) as object
  expect(foreign).not.toBeInstanceOf(WebAssembly.Module)
  adoptModule(foreign)
  expect(createEngine().kernels.sqrtF64(9)).toBe(3)
})

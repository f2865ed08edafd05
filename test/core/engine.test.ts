import { describe, expect, it, vi } from 'vitest'
import { createEngine, defaultEngine, frame } from '../../src/linalg/productEngine.js'
import { init, quantize } from '../../src/index.js'

describe('init', () => {
  it('may be left out, awaited, and awaited again', async () => {
    const before = quantize([1, -2], { format: 'int8' })
    await init()
    await init()
    expect(quantize([1, -2], { format: 'int8' })).toEqual(before)
  })

  it('starts the engine that the verbs use', async () => {
    await init()
    expect(defaultEngine()).toBe(defaultEngine())
  })

  it('of one domain compiles that domain alone', async () => {
    const compile = vi.spyOn(WebAssembly, 'compile')
    vi.resetModules()
    const { init } = await import('../../src/prune/index.js')
    await init()
    expect(compile).toHaveBeenCalledTimes(1)
    compile.mockRestore()
  })
})

describe('engines', () => {
  it('have memories of their own', () => {
    const a = createEngine()
    const b = createEngine()
    const pointer = a.memory.alloc(8)
    expect(b.memory.alloc(8)).toBe(pointer)
    a.memory.f64(pointer, 1)[0] = 1
    expect(b.memory.f64(pointer, 1)[0]).toBe(0)
  })

  it('get back what a frame took, also when it throws', () => {
    const engine = createEngine()
    const used = engine.memory.used
    expect(frame(engine, (memory) => memory.alloc(100))).toBe(used)
    expect(engine.memory.used).toBe(used)
    const failing = (): void =>
      frame(engine, (memory) => {
        memory.alloc(1e6)
        throw new Error('from inside')
      })
    expect(failing).toThrow('from inside')
    expect(engine.memory.used).toBe(used)
  })
})

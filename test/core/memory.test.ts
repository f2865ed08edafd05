import { describe, expect, it } from 'vitest'
import { createEngine, defaultEngine, frame } from '../../src/linalg/productEngine.js'
import { LARGEST_MEMORY, Memory } from '../../src/core/memory.js'
import { fakeQuantize, MemoryLimitError, prune, quantize, svd } from '../../src/index.js'
import { expectError } from '../support/errors.js'
import { normals } from '../support/random.js'

const PAGE = 65536

const fresh = (limit: number): Memory => new Memory(new WebAssembly.Memory({ initial: 1, maximum: 1000 }), limit)

describe('the arena', () => {
  it('hands out what does not overlap, aligned to 64, and grows as it must', () => {
    const memory = fresh(10 * PAGE)
    let end = 1024
    for (const bytes of [1, 0, 64, 65, 100000, 3]) {
      const pointer = memory.alloc(bytes)
      expect(pointer % 64).toBe(0)
      expect(pointer).toBeGreaterThanOrEqual(end)
      end = pointer + bytes
      expect(memory.size).toBeGreaterThanOrEqual(end)
    }
    expect(memory.size).toBe(2 * PAGE)
  })

  it('takes back what was handed out since a frame was opened', () => {
    const memory = fresh(PAGE)
    const close = memory.open()
    const first = memory.alloc(100)
    memory.alloc(1000)
    expectError(() => memory.allocForever(8), Error, 'internal error', 'frame')
    close()
    expect(memory.alloc(100)).toBe(first)
    expect(memory.allocForever(8)).toBeGreaterThan(first)
  })

  it('throws beyond its limit, before it grows', () => {
    const memory = fresh(3 * PAGE)
    const first = memory.alloc(64)
    const before = { size: memory.size, used: memory.used }
    expectError(() => memory.alloc(3 * PAGE), MemoryLimitError, String(3 * PAGE), 'slices')
    expect({ size: memory.size, used: memory.used }).toEqual(before)
    // What is left may still be had, to the last byte.
    expect(memory.alloc(3 * PAGE - first - 64)).toBe(first + 64)
    expect(memory.used).toBe(3 * PAGE)
    expectError(() => memory.alloc(1), MemoryLimitError)
    expect(memory.size).toBe(3 * PAGE)
  })

  it('says how much was needed and how much there may be', () => {
    const memory = fresh(2 * PAGE)
    try {
      memory.alloc(5 * PAGE)
      expect.fail('expected an error')
    } catch (error) {
      expect(error).toBeInstanceOf(MemoryLimitError)
      expect(error).toMatchObject({ name: 'MemoryLimitError', needed: 5 * PAGE + 1024, limit: 2 * PAGE })
    }
  })

  it('throws the same where the runtime has no more', () => {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 2 })
    const memory = new Memory(wasm, LARGEST_MEMORY)
    expectError(() => memory.alloc(3 * PAGE), MemoryLimitError)
    expect(memory.size).toBe(PAGE)
    expect(memory.used).toBe(1024)
  })
})

describe('an engine', () => {
  it('of its own has memory of its own, with a limit', () => {
    const engine = createEngine({ maximumBytes: 4 * PAGE })
    const other = createEngine()
    expect(engine.memory.limit).toBe(4 * PAGE)
    expect(other.memory.limit).toBe(LARGEST_MEMORY)
    expect(engine.memory.wasm).not.toBe(other.memory.wasm)
    const used = engine.memory.used
    const size = engine.memory.size
    expectError(() => frame(engine, (memory) => memory.alloc(5 * PAGE)), MemoryLimitError, String(4 * PAGE))
    expect(engine.memory.used).toBe(used)
    expect(engine.memory.size).toBe(size)
  })

  it('never gets more than wasm32 has', () => {
    expect(createEngine({ maximumBytes: 2 ** 40 }).memory.limit).toBe(LARGEST_MEMORY)
  })

  it('takes back the allocations of a frame, also when it throws', () => {
    const engine = createEngine()
    const used = engine.memory.used
    expect(frame(engine, (memory) => memory.alloc(1000))).toBe(used)
    expect(engine.memory.used).toBe(used)
    expectError(
      () =>
        frame(engine, (memory) => {
          memory.alloc(1000)
          throw new RangeError('inside')
        }),
      RangeError,
      'inside'
    )
    expect(engine.memory.used).toBe(used)
  })
})

describe('the verbs', () => {
  it('leave nothing behind', () => {
    const { memory } = defaultEngine()
    const used = memory.used
    const data = normals(70000, 1)
    quantize(data, { format: 'int4', group: 7 })
    fakeQuantize({ data, shape: [7, 10000] }, { format: 'uint8', axis: 1 })
    prune(data, { sparsity: 0.5 })
    svd({ data: data.subarray(0, 100), shape: [10, 10] })
    expect(() => quantize([NaN], { format: 'int8' })).toThrow()
    expect(() => prune([NaN], { sparsity: 0.5 })).toThrow()
    expect(memory.used).toBe(used)
  })

  it('need no more memory for a longer tensor', () => {
    const { memory } = defaultEngine()
    quantize(new Float32Array(100_000), { format: 'int8' })
    const size = memory.size
    for (let k = 0; k < 3; k++) quantize(new Float32Array(4_000_000), { format: 'int8' })
    expect(memory.size).toBe(size)
  })
})

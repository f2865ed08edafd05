import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { klDivergence, prune, quantize } from '../../src/index.js'
import type { Pruned, QuantizedIntegers } from '../../src/index.js'
import { createPool } from '../../src/pool/index.js'
import {
  CHUNK,
  checkResult,
  expectSame,
  labelsFor,
  logits,
  numbers,
  settle,
  somePools,
  type Call
} from '../support/pool.js'
import { index, normals64, seeded } from '../support/random.js'

const pools = somePools([1, 3])
const LENGTH = 2 * CHUNK + 100
const COLUMNS = 1001
const ROWS = 300

const random = seeded(4)
const integers = Array.from({ length: ROWS * COLUMNS }, () => index(random, 256) - 128)

/** The verbs that read a tensor, on one of ROWS x COLUMNS finite numbers. */
const verbsOn = (tensor: unknown): Call[] => {
  const bits = new Uint8Array(Math.ceil((ROWS * COLUMNS) / 8)).fill(0b10110101)
  bits[bits.length - 1] = 0
  const labels = labelsFor(ROWS, COLUMNS, 1)
  return [
    { verb: 'quantize', args: [tensor], options: { format: 'int4', axis: 0 } },
    { verb: 'quantize', args: [tensor], options: { format: 'bfloat16' } },
    { verb: 'fakeQuantize', args: [tensor], options: { format: 'uint8', group: 50, symmetric: false } },
    { verb: 'prune', args: [tensor], options: { sparsity: 0.3 } },
    { verb: 'prune', args: [tensor], options: { pattern: '2:4' } },
    { verb: 'applyMask', args: [tensor, { bits, shape: [ROWS, COLUMNS] }] },
    { verb: 'softmax', args: [tensor] },
    { verb: 'logSoftmax', args: [tensor], options: { temperature: 3 } },
    { verb: 'distillationLoss', args: [tensor], options: { teacher: tensor, labels } },
    {
      verb: 'klDivergence',
      args: [tensor],
      options: { teacher: { data: numbers(ROWS * COLUMNS, 2), shape: [ROWS, COLUMNS] } }
    },
    { verb: 'crossEntropy', args: [tensor], options: { labels } },
    { verb: 'compare', args: [tensor, { data: numbers(ROWS * COLUMNS, 3), shape: [ROWS, COLUMNS] }] }
  ]
}

async function everyVerb(tensor: unknown): Promise<void> {
  for (const [i, call] of verbsOn(tensor).entries()) await checkResult([pools[i % 2]!], call)
}

const shape = [ROWS, COLUMNS]

describe('every verb takes', () => {
  it.each([
    Float32Array,
    Float64Array,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array
  ])('%o', (type) => everyVerb({ data: type.from(integers), shape }))

  it('float16 patterns', () => {
    const data = Uint16Array.from(integers, (x, i) => (x < 0 ? 0x8000 : 0) + (i % 0x7c00))
    return everyVerb({ data, dims: shape, type: 'float16' })
  })

  it('bfloat16 patterns', () => {
    const data = Uint16Array.from(integers, (x) => (x < 0 ? 0x8000 : 0) + 0x3e00 + ((x * 71) & 0x1ff))
    return everyVerb({ data, shape, dtype: 'BF16' })
  })

  it('f64 that rounds, also to subnormals', () =>
    everyVerb({ data: normals64(ROWS * COLUMNS, 3).map((x, i) => x * (i % 9 ? 1 : 1e-41)), shape }))

  it('a view into a longer buffer', () => {
    const buffer = new ArrayBuffer(4 * ROWS * COLUMNS + 80)
    const data = new Float32Array(buffer, 12, ROWS * COLUMNS)
    data.set(integers)
    return everyVerb({ data, shape })
  })

  it('nested arrays', () =>
    everyVerb(Array.from({ length: ROWS }, (_, i) => integers.slice(i * COLUMNS, (i + 1) * COLUMNS))))

  it('plain numbers with a shape', () => everyVerb({ data: integers, shape }))

  it('an array over SharedArrayBuffer', () => {
    const data = new Float32Array(new SharedArrayBuffer(4 * ROWS * COLUMNS + 8), 4, ROWS * COLUMNS)
    data.set(integers)
    return everyVerb({ data, shape })
  })

  it('an array of another realm', () => {
    const data = runInNewContext('Float32Array.from(numbers)', { numbers: integers }) as Float32Array
    return everyVerb({ data, shape })
  })

  it('a resizable buffer', () => {
    const buffer = new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer)(
      4 * ROWS * COLUMNS,
      { maxByteLength: 8 * ROWS * COLUMNS }
    )
    const data = new Float32Array(buffer)
    data.set(integers)
    return everyVerb({ data, shape })
  })
})

describe('inputs', () => {
  it('are as they were afterwards', async () => {
    const data = numbers(LENGTH, 1)
    const before = data.slice()
    for (const pool of pools) {
      await pool.quantize(data, { format: 'int8' })
      await pool.prune(data, { sparsity: 0.5 })
      await pool.compare(data, data)
      await pool.softmax({ data, shape: [4, LENGTH / 4] })
    }
    expectSame(data, before)
  })

  it('are read as options were at the call', async () => {
    const data = numbers(LENGTH, 2)
    const tensor = { data, shape: [2, LENGTH / 2] }
    const options = { format: 'int8' as const, axis: 0 as number | undefined, scales: Float32Array.of(0.5, 0.25) }
    const expected = quantize(tensor, options)
    for (const pool of pools) {
      const given = { ...options, scales: options.scales.slice() }
      const mine = { data, shape: tensor.shape.slice() }
      const running = pool.quantize(mine, given)
      given.axis = 1
      given.scales.fill(77)
      mine.shape[0] = 9
      mine.data = new Float32Array(3)
      expectSame(await running, expected)
    }
  })

  it('hundreds of small calls at once', async () => {
    const calls = Array.from({ length: 200 }, (_, i): Call => {
      const data = numbers(3 + i, i)
      return i % 2
        ? { verb: 'quantize', args: [data], options: { format: 'uint8', group: 5 } }
        : { verb: 'prune', args: [data], options: { sparsity: 0.4 } }
    })
    await Promise.all(calls.map((call) => checkResult(pools, call)))
  })
})

describe('"out"', () => {
  it('is filled and returned by quantize, integers', async () => {
    for (const pool of pools) {
      for (const options of [
        { format: 'int4', axis: 1 },
        { format: 'uint8', symmetric: false, group: 1000 },
        { format: 'int8' }
      ] as const) {
        const tensor = { data: numbers(ROWS * COLUMNS, 1), shape }
        const expected = quantize(tensor, options)
        const out = quantize({ data: numbers(ROWS * COLUMNS, 8), shape }, options) as QuantizedIntegers
        const result = await pool.quantize(tensor, { ...options, out })
        expect(result.codes).toBe(out.codes)
        expect(result.scales).toBe(out.scales)
        expect(result.zeroPoints).toBe(out.zeroPoints)
        expectSame(result, expected)
      }
    }
  })

  it('is filled and returned by quantize, halves', async () => {
    for (const [i, pool] of pools.entries()) {
      const format = i % 2 ? 'float16' : 'bfloat16'
      const out = quantize(numbers(LENGTH, 1), { format })
      const result = await pool.quantize(numbers(LENGTH, 2), { format, out })
      expect(result.codes).toBe(out.codes)
      expectSame(result, quantize(numbers(LENGTH, 2), { format }))
    }
  })

  it('is filled and returned by dequantize', async () => {
    for (const [i, pool] of pools.entries()) {
      const quantized = quantize(numbers(LENGTH, i), { format: i % 2 ? 'int4' : 'int8', group: 100 })
      const buffer = new Float32Array(LENGTH + 7)
      const out = buffer.subarray(3, 3 + LENGTH)
      const { data } = await pool.dequantize(quantized, { out })
      expect(data).toBe(out)
      expectSame(out.slice(), (await pool.dequantize(quantized)).data)
      expect([...buffer.subarray(0, 3), ...buffer.subarray(3 + LENGTH)]).toEqual(new Array(7).fill(0))
    }
  })

  it('may be an earlier result of the same call', async () => {
    for (const pool of pools) {
      const data = numbers(LENGTH, 6)
      const first = await pool.quantize(data, { format: 'int8' })
      const again = await pool.quantize(data, { format: 'int8', out: first })
      expectSame(again, quantize(data, { format: 'int8' }))
    }
  })

  it('may be what is read', async () => {
    for (const pool of pools) {
      const data = numbers(LENGTH, 6)
      const expected = prune(data, { sparsity: 0.4 })
      const out: Pruned = { ...expected, values: { data, shape: [LENGTH] }, mask: prune(data, { sparsity: 0 }).mask }
      expectSame(await pool.prune(data, { sparsity: 0.4, out }), expected)
      const student = logits([500, 1001], 1)
      const teacher = logits([500, 1001], 2)
      const loss = klDivergence(student, { teacher })
      expectSame(await pool.klDivergence(student, { teacher, out: student.data }), loss)
    }
  })

  it('that goes away meanwhile is an error of the call', async () => {
    for (const pool of pools) {
      const out = new Float32Array(LENGTH)
      const quantized = quantize(numbers(LENGTH, 1), { format: 'int8' })
      const running = settle(pool.dequantize(quantized, { out }))
      structuredClone(out, { transfer: [out.buffer] })
      expect(await running).toHaveProperty('error')
      await checkResult([pool], { verb: 'dequantize', args: [quantized] })
    }
  })

  it('an input that goes away meanwhile is an error of the call', async () => {
    for (const pool of pools) {
      const data = numbers(1_300_000, 1)
      const controller = new AbortController()
      const onProgress = (): void => {
        if (data.length) structuredClone(data, { transfer: [data.buffer] })
      }
      const outcome = await settle(pool.quantize(data, { format: 'float16', onProgress, signal: controller.signal }))
      if (pool.threads === 1) expect(outcome).toHaveProperty('error')
      await checkResult([pool], { verb: 'softmax', args: [[1, 2]] })
    }
  })
})

it('verbs work without the pool before them', async () => {
  const { softmax, svd } = pools[1]!
  expectSame(await softmax([1, 2]), await pools[1]!.softmax([1, 2]))
  expect((await svd([[2]])).s.data[0]).toBe(2)
})

it('a pool of its own default threads works', async () => {
  const pool = createPool()
  try {
    expect(pool.threads).toBeGreaterThanOrEqual(1)
    await pool.init()
    await checkResult([pool], { verb: 'quantize', args: [numbers(LENGTH, 3)], options: { format: 'int8' } })
  } finally {
    await pool.close()
  }
})

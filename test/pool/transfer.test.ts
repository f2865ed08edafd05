import { describe, expect, it } from 'vitest'
import * as tersor from '../../src/index.js'
import { lowRank, quantize } from '../../src/index.js'
import {
  CHUNK,
  expectRejection,
  expectSame,
  labelsFor,
  logits,
  numbers,
  onPool,
  onThisThread,
  settle,
  somePools,
  type Call
} from '../support/pool.js'
import { expectError } from '../support/errors.js'
import { normals64 } from '../support/random.js'

const pools = somePools([1, 3])
const pool = pools[1]!

const length = CHUNK + 52
const shape = [4, length / 4]
const bits = new Uint8Array(Math.ceil(length / 8)).fill(0x5a)
bits[bits.length - 1]! &= 15

/** Calls on fresh arrays, which are listed too. */
interface Fresh {
  call: Call
  arrays: ArrayBufferView[]
}

const one =
  (seed: number, make: (data: Float32Array<ArrayBuffer>) => Call): (() => Fresh) =>
  () => {
    const data = numbers(length, seed)
    return { call: make(data), arrays: [data] }
  }

const FRESH: Readonly<Record<string, () => Fresh>> = {
  quantize: one(1, (data) => ({ verb: 'quantize', args: [{ data, shape }], options: { format: 'int4', axis: 0 } })),
  'quantize, halves': one(2, (data) => ({ verb: 'quantize', args: [data], options: { format: 'float16' } })),
  'quantize, asymmetric': one(3, (data) => ({
    verb: 'quantize',
    args: [data],
    options: { format: 'uint8', symmetric: false }
  })),
  fakeQuantize: one(4, (data) => ({ verb: 'fakeQuantize', args: [data], options: { format: 'int8', group: 100 } })),
  prune: one(5, (data) => ({ verb: 'prune', args: [data], options: { sparsity: 0.5 } })),
  'prune, a pattern': one(6, (data) => ({ verb: 'prune', args: [{ data, shape }], options: { pattern: '2:4' } })),
  'prune, many': () => {
    const arrays = [numbers(length, 7), normals64(100, 7)]
    return {
      call: { verb: 'prune', args: [{ a: arrays[0], b: arrays[1] }], options: { sparsity: 0.5, scope: 'global' } },
      arrays
    }
  },
  softmax: one(8, (data) => ({ verb: 'softmax', args: [{ data, shape }] })),
  logSoftmax: one(9, (data) => ({ verb: 'logSoftmax', args: [{ data, shape }], options: { temperature: 2 } })),
  klDivergence: () => {
    const [student, teacher] = [logits(shape, 10), logits(shape, 11)]
    return {
      call: { verb: 'klDivergence', args: [student], options: { teacher } },
      arrays: [student.data, teacher.data]
    }
  },
  crossEntropy: () => {
    const student = logits(shape, 12)
    const labels = labelsFor(4, length / 4, 1)
    return {
      call: { verb: 'crossEntropy', args: [student], options: { labels, reduction: 'none' } },
      arrays: [student.data, labels]
    }
  },
  distillationLoss: () => {
    const [student, teacher] = [logits(shape, 13), logits(shape, 14)]
    const labels = labelsFor(4, length / 4, 1)
    return {
      call: { verb: 'distillationLoss', args: [student], options: { teacher, labels } },
      arrays: [student.data, teacher.data, labels]
    }
  },
  qr: () => {
    const data = numbers(900, 31)
    return { call: { verb: 'qr', args: [{ data, shape: [30, 30] }], options: { pivot: true } }, arrays: [data] }
  },
  cholesky: () => {
    const data = normals64(400, 32).map((x, i) => (i % 21 ? 0 : x * x + 1))
    return { call: { verb: 'cholesky', args: [{ data, shape: [20, 20] }] }, arrays: [data] }
  },
  solveTriangular: () => {
    const arrays = [numbers(400, 33).map((x, i) => (i % 21 ? x : 9)), normals64(60, 34)]
    const args = [
      { data: arrays[0], shape: [20, 20] },
      { data: arrays[1], shape: [20, 3] }
    ]
    return { call: { verb: 'solveTriangular', args }, arrays }
  },
  ridge: () => {
    const arrays = [numbers(900, 35), normals64(60, 36), numbers(30, 37).map((x) => x * x)]
    const args = [
      { data: arrays[0], shape: [30, 30] },
      { data: arrays[1], shape: [30, 2] }
    ]
    return { call: { verb: 'ridge', args, options: { lambda: 2, sampleWeights: arrays[2] } }, arrays }
  },
  procrustes: () => {
    const arrays = [numbers(90, 38), normals64(90, 39)]
    const args = arrays.map((data) => ({ data, shape: [30, 3] }))
    return { call: { verb: 'procrustes', args, options: { center: true } }, arrays }
  },
  svd: () => {
    const data = normals64(900, 15)
    return { call: { verb: 'svd', args: [{ data, shape: [30, 30] }] }, arrays: [data] }
  },
  lowRank: () => {
    const data = numbers(900, 16)
    return { call: { verb: 'lowRank', args: [{ data, shape: [30, 30] }], options: { rank: 2 } }, arrays: [data] }
  },
  'lowRank for inputs': () => {
    const [data, inputs] = [numbers(900, 21), numbers(600, 22)]
    const options = { rank: 2, quantize: 'int8', activations: { data: inputs, shape: [20, 30] } }
    return { call: { verb: 'lowRank', args: [{ data, shape: [30, 30] }], options }, arrays: [data, inputs] }
  },
  lowRankPlan: () => {
    const arrays = [numbers(900, 23), normals64(600, 24)]
    const args = [{ a: { data: arrays[0], shape: [30, 30] }, b: { data: arrays[1], shape: [20, 30] } }]
    return { call: { verb: 'lowRankPlan', args, options: { bytes: 4000 } }, arrays }
  },
  reconstruct: () => {
    const { u, v, residual } = lowRank({ data: numbers(900, 25), shape: [30, 30] }, { rank: 2, residual: 'int4' })
    return { call: { verb: 'reconstruct', args: [{ u, v, residual }] }, arrays: [u.data, v.data, residual!.codes] }
  },
  compare: () => {
    const arrays = [numbers(length, 17), normals64(length, 18)]
    return { call: { verb: 'compare', args: arrays }, arrays }
  },
  matmul: () => {
    const arrays = [numbers(300 * 400, 21), numbers(400 * 700, 22)]
    const [a, b] = arrays.map((data, i) => ({ data, shape: i ? [400, 700] : [400, 300] }))
    return { call: { verb: 'matmul', args: [a, b], options: { transposeA: true } }, arrays }
  },
  dequantize: () => {
    const quantized = quantize(numbers(length, 19), { format: 'int8' })
    return { call: { verb: 'dequantize', args: [quantized] }, arrays: [quantized.codes] }
  },
  applyMask: one(20, (data) => ({ verb: 'applyMask', args: [data, { bits: bits.slice(), shape: [length] }] }))
}

describe.each(Object.entries(FRESH))('%s', (_, fresh) => {
  it('empties its arrays at once and gives the same bytes', async () => {
    const expected = onThisThread(fresh().call)
    for (const on of pools) {
      const { call, arrays } = fresh()
      const running = onPool(on, call, { transfer: true })
      expect(arrays.map(({ buffer }) => buffer.byteLength)).toEqual(arrays.map(() => 0))
      expectSame(await running, expected)
    }
  })

  it('leaves them with transfer: false', async () => {
    const { call, arrays } = fresh()
    const before = arrays.map(({ byteLength }) => byteLength)
    expectSame(await onPool(pool, call, { transfer: false }), onThisThread(call))
    expect(arrays.map(({ byteLength }) => byteLength)).toEqual(before)
  })

  it('a second time: an error that names the argument, here and on this thread', async () => {
    const { call } = fresh()
    await onPool(pool, call, { transfer: true })
    await expectRejection(onPool(pool, call, { transfer: true }), TypeError, call.verb, '"', 'transferred')
    await expectRejection(onPool(pool, call), TypeError, call.verb, '"', 'transferred')
    expectError(() => onThisThread(call), TypeError, call.verb, '"', 'transferred')
  })

  it('arrays over SharedArrayBuffer stay, with and without', async () => {
    const expected = onThisThread(fresh().call)
    for (const transfer of [true, false]) {
      const { call, arrays } = fresh()
      const shared = new Map(
        arrays.map((array) => {
          const type = array.constructor as new (buffer: SharedArrayBuffer) => Float32Array
          const copy = new type(new SharedArrayBuffer(array.byteLength))
          copy.set(array as Float32Array)
          return [array, copy]
        })
      )
      const replaced = (value: unknown): unknown => {
        if (ArrayBuffer.isView(value)) return shared.get(value) ?? value
        if (Array.isArray(value)) return value.map(replaced)
        if (typeof value !== 'object' || value === null) return value
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner)]))
      }
      const { verb, args, options } = call
      for (const on of [pools[transfer ? 0 : 1]!]) {
        const outcome = await onPool(on, { verb, args: args.map(replaced), options: replaced(options) }, { transfer })
        expectSame(outcome, expected)
      }
      for (const [array, copy] of shared) expect(copy.byteLength).toBe(array.byteLength)
    }
  })
})

it('bad numbers in what is transferred are named as ever', async () => {
  for (const on of pools) {
    const data = numbers(length, 6)
    data[CHUNK + 7] = NaN
    data[CHUNK + 9] = NaN
    const copy = data.slice()
    const running = settle(on.quantize(data, { format: 'int8', transfer: true }))
    expect(data.length).toBe(0)
    let message = ''
    try {
      quantize(copy, { format: 'int8' })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain(`index ${CHUNK + 7}`)
    expect(await running).toMatchObject({ error: { name: 'RangeError', message } })
  }
})

it('nested arrays, plain numbers and results without elements', async () => {
  expectSame(
    await pool.quantize(
      [
        [1, 2],
        [3, -4]
      ],
      { format: 'int8', transfer: true }
    ),
    quantize(
      [
        [1, 2],
        [3, -4]
      ],
      { format: 'int8' }
    )
  )
  expectSame(await pool.softmax({ data: [1, 2], shape: [2] }, { transfer: true }), tersor.softmax([1, 2]))
  const empty = new Float32Array(0)
  expectSame(
    await pool.quantize(empty, { format: 'int8', transfer: true }),
    quantize(new Float32Array(0), { format: 'int8' })
  )
})

it('labels of every kind: arrays are handed over, plain ones are not touched', async () => {
  const plain = Array.from(labelsFor(8, 5, 1))
  const kinds: [string, () => [labels: ArrayLike<number | bigint>, array?: ArrayBufferView]][] = [
    ['a plain array', () => [plain]],
    ['64-bit ones in a plain array', () => [plain.map(BigInt)]],
    ['bytes', () => typed(Uint8Array.from(plain))],
    ['64-bit ones', () => typed(BigInt64Array.from(plain, BigInt))],
    ['f64', () => typed(Float64Array.from(plain))]
  ]
  const expected = tersor.distillationLoss(logits([8, 5], 1), { teacher: logits([8, 5], 2), labels: plain })
  for (const [name, make] of kinds) {
    for (const asTensor of [false, true]) {
      const [labels, array] = make()
      const student = logits([8, 5], 1)
      const teacher = logits([8, 5], 2)
      const given = (asTensor ? { data: labels, shape: [8] } : labels) as ArrayLike<number>
      const running = pool.distillationLoss(student, { teacher, labels: given, transfer: true })
      expect(student.data.length + teacher.data.length + (array?.byteLength ?? 0), name).toBe(0)
      expectSame(await running, expected, name)
    }
  }
  expect(plain.length).toBe(8)

  function typed<T extends ArrayBufferView>(array: T): [T, T] {
    return [array, array]
  }
})

it('calls with transfer beside others', async () => {
  const fresh = Object.values(FRESH).flatMap((make) => [make(), make()])
  const expected = fresh.map(({ call }) => onThisThread(call))
  const running = fresh.map(({ call }, i) => onPool(pools[1]!, call, { transfer: i % 2 === 0 }))
  expectSame(await Promise.all(running), expected)
})

it('progress and signals go with transfer', async () => {
  const data = numbers(length, 8)
  const seen: number[] = []
  await pool.quantize(data, {
    format: 'int8',
    transfer: true,
    onProgress: ({ done, total }) => void seen.push(done / total)
  })
  expect(seen.at(-1)).toBe(1)
  const controller = new AbortController()
  const matrix = { data: normals64(490_000, 1), shape: [700, 700] }
  const running = settle(pool.svd(matrix, { transfer: true, signal: controller.signal }))
  expect(matrix.data.length).toBe(0)
  controller.abort('no')
  expect(await running).toEqual({ error: 'no' })
})

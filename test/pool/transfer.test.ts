import { describe, expect, it } from 'vitest'
import * as tersor from '../../src/index.js'
import { quantize } from '../../src/index.js'
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
  somePools
} from '../support/pool.js'
import { FRESH, FRESH_LENGTH } from '../support/poolTransfers.js'
import { expectError } from '../support/errors.js'
import { normals64 } from '../support/random.js'

const pools = somePools([1, 3])
const pool = pools[1]!

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
    const data = numbers(FRESH_LENGTH, 6)
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
  const data = numbers(FRESH_LENGTH, 8)
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

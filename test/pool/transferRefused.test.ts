import { describe, expect, it } from 'vitest'
import * as tersor from '../../src/index.js'
import { quantize } from '../../src/index.js'
import { createPool } from '../../src/pool/index.js'
import {
  attempt,
  expectRejection,
  expectSame,
  expectSameOutcome,
  labelsFor,
  logits,
  numbers,
  onPool,
  onThisThread,
  settle,
  somePools,
  type Call
} from '../support/pool.js'

const pool = somePools([3])[0]!

describe('refused, and nothing is emptied', () => {
  const int8 = { format: 'int8' as const, transfer: true }

  it('the same buffer as two arguments', async () => {
    const student = logits([10, 10], 1)
    await expectRejection(
      pool.klDivergence(student, { teacher: student, transfer: true }),
      TypeError,
      'klDivergence',
      '"teacher"'
    )
    expect(student.data.length).toBe(100)
    const data = numbers(64, 1)
    await expectRejection(pool.compare(data, data, { transfer: true }), TypeError, 'compare', '"other"')
    const square = { data, shape: [8, 8] }
    await expectRejection(pool.matmul(square, square, { transfer: true }), TypeError, 'matmul', '"b"')
    await expectRejection(pool.prune([data, data], { sparsity: 0.5, transfer: true }), TypeError, 'prune', 'tensors[1]')
    const halves = [new Float32Array(data.buffer, 0, 32), new Float32Array(data.buffer, 128, 32)] as const
    await expectRejection(pool.compare(halves[0], halves[1], { transfer: true }), TypeError, 'compare')
    expect(data.length).toBe(64)
  })

  it('a view that covers a part of its buffer', async () => {
    const buffer = new ArrayBuffer(400)
    for (const view of [new Float32Array(buffer, 4), new Float32Array(buffer, 0, 99)]) {
      await expectRejection(pool.quantize(view, int8), TypeError, 'quantize', '"tensor"')
      await expectRejection(pool.compare(new Float32Array(view.length), view, { transfer: true }), TypeError, '"other"')
    }
    expect(buffer.byteLength).toBe(400)
  })

  it('a first argument that could be, beside one that cannot', async () => {
    const student = logits([10, 10], 1)
    const teacher = { data: new Float32Array(new ArrayBuffer(404), 4), shape: [10, 10] }
    await expectRejection(pool.klDivergence(student, { teacher, transfer: true }), TypeError, '"teacher"')
    expect(student.data.length).toBe(100)
  })

  it('WebAssembly memory', async () => {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const view = new Float32Array(memory.buffer)
    await expectRejection(pool.quantize(view, int8), TypeError, 'quantize', '"tensor"')
    expect(view.length).toBe(16384)
    expectSame(await pool.quantize(view, { format: 'int8' }), quantize(view, { format: 'int8' }))
  })

  it('with "out"', async () => {
    const data = numbers(64, 2)
    const out = quantize(data, { format: 'int8' })
    const student = logits([8, 8], 3)
    await expectRejection(pool.quantize(data, { ...int8, out }), TypeError, 'quantize', '"out"', 'transfer')
    await expectRejection(
      pool.dequantize(out, { out: new Float32Array(64), transfer: true }),
      TypeError,
      'dequantize',
      '"out"'
    )
    await expectRejection(
      pool.crossEntropy(student, { labels: labelsFor(8, 8, 1), out: new Float32Array(64), transfer: true }),
      TypeError,
      'crossEntropy',
      '"out"'
    )
    await expectRejection(
      pool.prune(data, { sparsity: 0.5, out: tersor.prune(data, { sparsity: 0.5 }), transfer: true }),
      TypeError,
      'prune',
      '"out"'
    )
    await expectRejection(
      pool.matmul(student, { data, shape: [8, 8] }, { out: new Float32Array(64), transfer: true }),
      TypeError,
      'matmul',
      '"out"'
    )
    expect([data.length, out.codes.length, student.data.length]).toEqual([64, 64, 64])
  })

  it('options that are wrong', async () => {
    const data = numbers(64, 3)
    const WRONG: Call[] = [
      { verb: 'quantize', args: [data], options: { format: 'int9' } },
      { verb: 'quantize', args: [data], options: { format: 'int8', axis: 4 } },
      { verb: 'quantize', args: [data], options: { format: 'int8', foo: 4 } },
      { verb: 'quantize', args: [data], options: { format: 'int8', scales: [1, 2] } },
      { verb: 'quantize', args: [{ data, shape: [63] }], options: { format: 'int8' } },
      { verb: 'prune', args: [data], options: {} },
      { verb: 'prune', args: [[data, 'x']], options: { sparsity: 0.5 } },
      { verb: 'softmax', args: [data], options: { temperature: -1 } },
      { verb: 'crossEntropy', args: [data], options: { labels: [64] } },
      { verb: 'klDivergence', args: [data], options: { teacher: numbers(63, 1) } },
      { verb: 'svd', args: [data], options: {} },
      { verb: 'lowRank', args: [{ data, shape: [8, 8] }], options: { rank: 9 } },
      { verb: 'applyMask', args: [data, { bits: new Uint8Array(8), shape: [63] }], options: {} },
      { verb: 'compare', args: [data, numbers(63, 1)], options: {} }
    ]
    for (const call of WRONG) {
      const outcome = await settle(onPool(pool, call, { transfer: true }))
      expectSameOutcome(
        outcome,
        attempt(() => onThisThread(call)),
        call.verb
      )
      expect('error' in outcome).toBe(true)
      expect(data.length, call.verb).toBe(64)
    }
  })

  it('options of the run that are wrong', async () => {
    const data = numbers(64, 4)
    await expectRejection(pool.quantize(data, { ...int8, signal: 5 as never }), TypeError, '"signal"')
    await expectRejection(pool.quantize(data, { ...int8, onProgress: 5 as never }), TypeError, '"onProgress"')
    expect(data.length).toBe(64)
  })

  it('on a pool that is closed', async () => {
    const closed = createPool({ threads: 1 })
    await closed.close()
    const data = numbers(64, 5)
    await expectRejection(closed.quantize(data, int8), Error, /clos/)
    expect(data.length).toBe(64)
  })
})

it('labels that cover a part of their buffer are refused, and nothing is emptied', async () => {
  const student = logits([8, 5], 1)
  const labels = labelsFor(9, 5, 1).subarray(1)
  await expectRejection(pool.crossEntropy(student, { labels, transfer: true }), TypeError, 'crossEntropy: "labels"')
  expect([student.data.length, labels.length]).toEqual([40, 8])
})

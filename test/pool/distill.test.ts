import { describe, expect, it } from 'vitest'
import { CHUNK, checkResult, expectSame, labelsFor, logits, somePools, type Call } from '../support/pool.js'
import { nameOf } from '../support/quantize.js'

const pools = somePools()

let turn = 0
const check = (call: Call): Promise<void> => checkResult([pools[turn++ % 4]!], call)

const SHAPES: readonly number[][] = [
  [1],
  [5],
  [0, 4],
  [3, 0, 7],
  [4, 1],
  [2, 3, 5],
  [CHUNK + 1],
  [3, CHUNK + 1],
  [2, 300001],
  [CHUNK + 5, 1],
  [100001, 3],
  [7, 40, 1003],
  [6, 50001]
]

const REDUCTIONS = ['batchMean', 'mean', 'sum', 'none', undefined] as const

const rowsOf = (shape: readonly number[]): number => shape.slice(0, -1).reduce((product, n) => product * n, 1)

/** Masks classes in some rows, never a whole row. */
function masked(tensor: { data: Float32Array<ArrayBuffer>; shape: number[] }, step: number): typeof tensor {
  const classes = tensor.shape.at(-1)!
  const data = tensor.data.map((x, i) => (i % classes > 0 && i % step === 0 ? -Infinity : x))
  return { data, shape: tensor.shape }
}

describe.each(SHAPES.map((shape, i) => ({ name: nameOf({ shape }), shape, i })))('$name', ({ shape, i }) => {
  const classes = shape.at(-1)!
  const student = logits(shape, 2 * i)
  const teacher = logits(shape, 2 * i + 1)
  const labels = labelsFor(rowsOf(shape), classes, i)
  const reduction = REDUCTIONS[i % 5]

  it.each(['softmax', 'logSoftmax'] as const)('%s', async (verb) => {
    await check({ verb, args: [student] })
    await check({ verb, args: [masked(student, 3)], options: { temperature: 2.5 } })
    await check({ verb, args: [teacher], options: { temperature: 0.03 } })
  })

  it('klDivergence', async () => {
    await check({ verb: 'klDivergence', args: [student], options: { teacher, reduction } })
    await check({
      verb: 'klDivergence',
      args: [student],
      options: { teacher: masked(teacher, 5), temperature: 3, temperatureSquared: true, reduction: 'none' }
    })
    await check({ verb: 'klDivergence', args: [masked(student, 4)], options: { teacher, reduction: 'sum' } })
  })

  it('crossEntropy', async () => {
    await check({ verb: 'crossEntropy', args: [student], options: { labels, reduction } })
    await check({ verb: 'crossEntropy', args: [masked(student, 2)], options: { labels, reduction: 'none' } })
  })

  it('distillationLoss', async () => {
    const both = { teacher, labels }
    await check({ verb: 'distillationLoss', args: [student], options: { ...both, reduction } })
    await check({
      verb: 'distillationLoss',
      args: [student],
      options: { ...both, temperature: 4, alpha: 0.9, reduction: REDUCTIONS[(i + 1) % 5] }
    })
    await check({ verb: 'distillationLoss', args: [student], options: { labels, alpha: 0 } })
    await check({
      verb: 'distillationLoss',
      args: [student],
      options: { teacher, alpha: 1, temperatureSquared: false }
    })
    await check({ verb: 'distillationLoss', args: [student], options: { ...both, alpha: 1, reduction: 'mean' } })
    await check({ verb: 'distillationLoss', args: [student], options: { ...both, alpha: 0, reduction: 'none' } })
  })
})

describe('every reduction over several chunks', () => {
  const shape = [700, 1001]
  const student = logits(shape, 71)
  const teacher = logits(shape, 72)
  const labels = labelsFor(700, 1001, 73)

  it.each(REDUCTIONS)('%s', async (reduction) => {
    const options = { teacher, labels, reduction, temperature: 1.7 }
    await checkResult(pools, { verb: 'distillationLoss', args: [student], options })
  })
})

describe('labels', () => {
  const shape = [5000, 101]
  const student = logits(shape, 81)
  const numbers = labelsFor(5000, 101, 82)

  it.each([
    ['Uint8Array', Uint8Array.from(numbers)],
    ['BigInt64Array', BigInt64Array.from(numbers, BigInt)],
    ['a plain array', Array.from(numbers)],
    ['a tensor', { data: numbers, shape: [5000] }]
  ])('%s', async (_, labels) => {
    await check({ verb: 'crossEntropy', args: [student], options: { labels } })
    await check({ verb: 'distillationLoss', args: [student], options: { teacher: student, labels } })
  })
})

it('logits near the end of f32 and subnormal ones', async () => {
  const classes = 37
  const values = [3.4e38, -3.4e38, 1e-40, -0, 0, 88, -104, 709, 2 ** -149]
  const data = Float32Array.from({ length: 8000 * classes }, (_, i) => values[(i * 5 + (i >> 7)) % values.length]!)
  const student = { data, shape: [8000, classes] }
  const teacher = { data: data.slice().reverse(), shape: [8000, classes] }
  const labels = labelsFor(8000, classes, 5)
  for (const verb of ['softmax', 'logSoftmax'] as const) {
    await check({ verb, args: [student] })
    await check({ verb, args: [student], options: { temperature: 1e30 } })
    await check({ verb, args: [student], options: { temperature: 1e-30 } })
  }
  for (const reduction of REDUCTIONS) {
    await check({ verb: 'distillationLoss', args: [student], options: { teacher, labels, reduction } })
    await check({ verb: 'klDivergence', args: [student], options: { teacher, reduction, temperature: 1e30 } })
    await check({ verb: 'klDivergence', args: [student], options: { teacher, reduction, temperature: 1e-30 } })
  }
})

describe('"out"', () => {
  const shape = [401, 1501]
  const student = logits(shape, 91)
  const teacher = logits(shape, 92)
  const labels = labelsFor(401, 1501, 93)

  it('is filled and returned by the losses', async () => {
    for (const [i, pool] of pools.entries()) {
      const out = new Float32Array(401 * 1501).fill(9)
      const fresh = await pool.distillationLoss(student, { teacher, labels })
      const result = await pool.distillationLoss(student, { teacher, labels, out })
      expect(result.gradient.data).toBe(out)
      expectSame(result, fresh)
      if (i % 2) {
        expect((await pool.klDivergence(student, { teacher, out })).gradient.data).toBe(out)
        expectSame(out, (await pool.klDivergence(student, { teacher })).gradient.data)
      } else {
        expect((await pool.crossEntropy(student, { labels, out })).gradient.data).toBe(out)
        expectSame(out, (await pool.crossEntropy(student, { labels })).gradient.data)
      }
    }
  })
})

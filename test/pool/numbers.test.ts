import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byTurns, CHUNK, checkError, labelsFor, logits, numbers, somePools, type Call } from '../support/pool.js'
import { index, normals64, seeded } from '../support/random.js'

const pools = somePools()

const LENGTH = 3 * CHUNK + 12
const SPOTS = [
  [0],
  [CHUNK - 1],
  [CHUNK],
  [LENGTH - 1],
  [2 * CHUNK + 3, CHUNK + 9],
  [LENGTH - 1, 5, CHUNK],
  [CHUNK + 1, CHUNK, 2 * CHUNK]
]

describe.each(SPOTS)('bad numbers at %i, %s, %s', (...given) => {
  const spots = given.filter((spot) => typeof spot === 'number')
  const first = Math.min(...spots)
  const bad = spots[0]! % 2 ? NaN : -Infinity
  const turn = spots.length + (first % 2)

  const spoil = <T extends { [index: number]: number }>(data: T, value = bad): T => {
    for (const spot of spots) data[spot] = value
    return data
  }

  const named = (call: Call): Promise<void> => checkError(byTurns(pools, turn), call, new RegExp(`index ${first}\\b`))

  it('quantize and fakeQuantize', async () => {
    const data = spoil(numbers(LENGTH, 1))
    const shapes = [[LENGTH], [2, LENGTH / 2], [LENGTH / 2, 2], [12, LENGTH / 12]]
    expect(shapes.flat().every(Number.isInteger)).toBe(true)
    for (const shape of shapes) {
      for (const options of [
        { format: 'int8' },
        { format: 'uint4', axis: -1, symmetric: false },
        { format: 'float16' }
      ]) {
        await named({ verb: 'quantize', args: [{ data, shape }], options })
        await named({ verb: 'fakeQuantize', args: [{ data, shape }], options })
      }
    }
    await named({ verb: 'quantize', args: [data], options: { format: 'int4', group: 77 } })
    await named({ verb: 'quantize', args: [spoil(data, NaN)], options: { format: 'int8', scales: [1] } })
  })

  it('prune', async () => {
    const data = spoil(numbers(LENGTH, 2))
    for (const options of [
      { sparsity: 0.5 },
      { sparsity: 0 },
      { sparsity: 1 },
      { pattern: '2:4' },
      { pattern: '3:7' }
    ]) {
      await named({ verb: 'prune', args: [data], options })
      await named({ verb: 'prune', args: [[numbers(9, 1), data]], options })
    }
    await named({
      verb: 'prune',
      args: [{ a: numbers(CHUNK, 1), b: data, c: data }],
      options: { sparsity: 0.5, scope: 'global' }
    })
  })

  it('softmax, logSoftmax and losses', async () => {
    const shape = [LENGTH / 2, 2]
    const good = logits(shape, 3)
    const data = spoil(logits(shape, 4).data, NaN)
    const labels = labelsFor(LENGTH / 2, 2, 1)
    await named({ verb: 'softmax', args: [{ data, shape }] })
    await named({ verb: 'logSoftmax', args: [{ data, shape }] })
    await named({ verb: 'softmax', args: [{ data, shape: [2, LENGTH / 2] }] })
    await named({ verb: 'crossEntropy', args: [], options: { logits: { data, shape }, labels } })
    await named({ verb: 'klDivergence', args: [], options: { student: { data, shape }, teacher: good } })
    await named({ verb: 'klDivergence', args: [], options: { student: good, teacher: { data, shape } } })
    await named({
      verb: 'distillationLoss',
      args: [],
      options: { student: good, teacher: { data, shape }, labels, alpha: 0.3 }
    })
  })

  it('compare', async () => {
    const good = numbers(LENGTH, 5)
    await named({ verb: 'compare', args: [good, spoil(numbers(LENGTH, 6))] })
    await named({ verb: 'compare', args: [spoil(numbers(LENGTH, 6)), good] })
    await named({ verb: 'compare', args: [good, spoil(normals64(LENGTH, 7))] })
  })

  it('svd and lowRank', async () => {
    const data = spoil(numbers(LENGTH, 8))
    await named({ verb: 'svd', args: [{ data, shape: [LENGTH / 2, 2] }] })
    await named({ verb: 'lowRank', args: [{ data, shape: [2, LENGTH / 2] }], options: { rank: 1 } })
  })

  it('patterns of halves, f64 beyond f32', async () => {
    const words = new Uint16Array(LENGTH).fill(0x3c00)
    for (const spot of spots) words[spot] = 0xfc00
    await named({
      verb: 'quantize',
      args: [{ data: words, shape: [LENGTH], dtype: 'float16' }],
      options: { format: 'int8' }
    })
    await named({ verb: 'prune', args: [spoil(normals64(LENGTH, 1), 1e39)], options: { sparsity: 0.1 } })
  })
})

it('a row masked wholly, in a late chunk', async () => {
  const shape = [700, 1001]
  const good = logits(shape, 1)
  const labels = labelsFor(700, 1001, 1)
  for (const rows of [[699], [600, 400], [0]]) {
    const tensor = logits(shape, 2)
    for (const row of rows) tensor.data.fill(-Infinity, row * 1001, (row + 1) * 1001)
    const part = `row ${Math.min(...rows)} is all -Infinity`
    await checkError(pools, { verb: 'softmax', args: [tensor] }, part)
    await checkError(pools, { verb: 'logSoftmax', args: [tensor] }, part)
    await checkError(pools, { verb: 'crossEntropy', args: [], options: { logits: tensor, labels } }, part)
    await checkError(
      pools,
      { verb: 'klDivergence', args: [], options: { student: good, teacher: tensor } },
      'teacher',
      part
    )
    await checkError(
      pools,
      { verb: 'klDivergence', args: [], options: { student: tensor, teacher: good } },
      'student',
      part
    )
  }
})

it('of many faults in student and teacher, the one that the verb names', async () => {
  const shape = [900, 811]
  const size = 900 * 811
  const student = logits(shape, 1).data
  const teacher = logits(shape, 2).data
  const labels = labelsFor(900, 811, 3)
  const kinds = [NaN, Infinity, -Infinity]
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
      const random = seeded(seed)
      const spoilt = (data: Float32Array<ArrayBuffer>): { data: Float32Array<ArrayBuffer>; shape: number[] } => {
        const copy = data.slice()
        for (let k = index(random, 4); k > 0; k--) {
          const at = index(random, size)
          const kind = kinds[index(random, 3)]!
          if (kind < 0) copy.fill(kind, at - (at % 811), at - (at % 811) + 811)
          else copy[at] = kind
        }
        return { data: copy, shape }
      }
      const options = { student: spoilt(student), teacher: spoilt(teacher), labels, alpha: 0.5 }
      const clean = [options.student, options.teacher].every(({ data }, i) =>
        Buffer.from(data.buffer).equals(Buffer.from((i ? teacher : student).buffer))
      )
      if (!clean) await checkError(pools.slice(1, 3), { verb: 'distillationLoss', args: [], options })
    }),
    { seed: 8, numRuns: 25 }
  )
})

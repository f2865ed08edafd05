import fc from 'fast-check'
import { describe, it } from 'vitest'
import { CHUNK, checkError, labelsFor, logits, numbers, somePools, type Call } from '../support/pool.js'
import { index, seeded } from '../support/random.js'

const pools = somePools([1, 3])

const LENGTH = 2 * CHUNK + 4
const SPOTS = [[0], [LENGTH - 1], [CHUNK + 1, CHUNK, 2 * CHUNK]]

const clean = numbers(LENGTH, 1)
const rows = [LENGTH / 12, 12]
const teacher = logits(rows, 3)
const labels = labelsFor(LENGTH / 12, 12, 1)

describe.each(SPOTS.map((spots, turn) => ({ spots, turn })))('bad numbers at $spots', ({ spots, turn }) => {
  const first = Math.min(...spots)
  const bad = spots[0]! % 2 ? NaN : -Infinity

  const spoil = <T extends { [index: number]: number }>(data: T, value = bad): T => {
    for (const spot of spots) data[spot] = value
    return data
  }

  const data = spoil(clean.slice())
  const withNaN = spoil(clean.slice(), NaN)
  const wide = spoil(Float64Array.from(clean), 1e39)

  let calls = turn
  const named = (call: Call): Promise<void> => checkError([pools[calls++ % 2]!], call, new RegExp(`index ${first}\\b`))

  it('quantize and fakeQuantize', async () => {
    for (const shape of [[LENGTH], [2, LENGTH / 2], [LENGTH / 12, 12]]) {
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
    await named({ verb: 'quantize', args: [withNaN], options: { format: 'int8', scales: [1] } })
  })

  it('prune', async () => {
    for (const options of [{ sparsity: 0.5 }, { sparsity: 0 }, { sparsity: 1 }, { pattern: '3:7' }]) {
      await named({ verb: 'prune', args: [data], options })
    }
    await named({ verb: 'prune', args: [[numbers(9, 1), data]], options: { sparsity: 0.5 } })
    await named({ verb: 'prune', args: [{ a: clean, b: data, c: data }], options: { sparsity: 0.5, scope: 'global' } })
  })

  it('softmax, logSoftmax and losses', async () => {
    const student = { data: withNaN, shape: rows }
    await named({ verb: 'softmax', args: [student] })
    await named({ verb: 'logSoftmax', args: [student] })
    await named({ verb: 'softmax', args: [{ data: withNaN, shape: [2, LENGTH / 2] }] })
    await named({ verb: 'crossEntropy', args: [student], options: { labels } })
    await named({ verb: 'klDivergence', args: [student], options: { teacher } })
    await named({ verb: 'klDivergence', args: [teacher], options: { teacher: student } })
    await named({ verb: 'distillationLoss', args: [teacher], options: { teacher: student, labels } })
  })

  it('compare', async () => {
    await named({ verb: 'compare', args: [clean, data] })
    await named({ verb: 'compare', args: [data, clean] })
    await named({ verb: 'compare', args: [clean, spoil(Float64Array.from(clean), Infinity)] })
  })

  it('svd and lowRank', async () => {
    await named({ verb: 'svd', args: [{ data, shape: [LENGTH / 2, 2] }] })
    await named({ verb: 'lowRank', args: [{ data, shape: [2, LENGTH / 2] }], options: { rank: 1 } })
  })

  it('patterns of halves, f64 beyond f32', async () => {
    const words = new Uint16Array(LENGTH).fill(0x3c00)
    for (const spot of spots) words[spot] = 0xfc00
    const half = { data: words, shape: [LENGTH], dtype: 'float16' }
    await named({ verb: 'quantize', args: [half], options: { format: 'int8' } })
    await named({ verb: 'prune', args: [wide], options: { sparsity: 0.1 } })
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
    await checkError(pools, { verb: 'crossEntropy', args: [tensor], options: { labels } }, part)
    await checkError(pools, { verb: 'klDivergence', args: [good], options: { teacher: tensor } }, 'teacher', part)
    await checkError(pools, { verb: 'klDivergence', args: [tensor], options: { teacher: good } }, 'student', part)
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
      const logits = spoilt(student)
      const options = { teacher: spoilt(teacher), labels, alpha: 0.5 }
      const clean = [logits, options.teacher].every(({ data }, i) =>
        Buffer.from(data.buffer).equals(Buffer.from((i ? teacher : student).buffer))
      )
      if (!clean) await checkError(pools.slice(0, 2), { verb: 'distillationLoss', args: [logits], options })
    }),
    { seed: 8, numRuns: 8 }
  )
})

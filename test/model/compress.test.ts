import { describe, expect, it } from 'vitest'
import { lowRank } from '../../src/index.js'
import { compressModel } from '../../src/model/index.js'
import type { Recipe } from '../../src/model/index.js'
import { bfloat16Bits, float16Bits } from '../oracle/quantize.js'
import type { Input, Stored } from '../support/models.js'
import { f32Of, openInputs, productOracle, readRaw, storedOracle } from '../support/models.js'
import { normals } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'
import { FLOAT_FORMATS, INTEGER_FORMATS, ugly } from '../support/quantize.js'
import { rejection } from '../support/files.js'
import { input, DTYPES, vectors, expectRestored, storedBy } from '../support/compress.js'

const all = { select: () => true }

const CUTS = [{}, { axis: 0 }, { axis: -1 }, { group: 5 }, { axis: -1, group: 3 }, { group: 1000 }]

const QUANTIZE: Recipe['quantize'][] = [
  undefined,
  ...INTEGER_FORMATS.flatMap((format) =>
    CUTS.flatMap((cut) => [true, false].map((symmetric) => ({ format, ...cut, symmetric })))
  ),
  ...FLOAT_FORMATS.map((format) => ({ format }))
]

const PRUNE: Recipe['prune'][] = [
  undefined,
  ...[0, 0.1, 0.5, 0.9, 1].map((sparsity) => ({ sparsity })),
  { sparsity: 0.5, scope: 'layer' },
  { pattern: '2:4' },
  { pattern: '1:7' }
]

const label = (recipe: Recipe): string => JSON.stringify(recipe).replaceAll('"', '')

describe('one array for each tensor', () => {
  for (const prune of PRUNE) {
    it(`restores what the oracles say of every format: ${label({ prune })}`, async () => {
      for (const quantize of QUANTIZE) {
        const recipe: Recipe = { ...(prune ? { prune } : {}), ...(quantize ? { quantize } : {}) }
        if (!prune && !quantize) continue
        await expectRestored({ inputs: vectors, options: { ...recipe, ...all } }, storedBy(recipe, vectors))
      }
    })
  }

  it('takes ugly numbers, zeros and negative zeros', async () => {
    const inputs: Input[] = [
      { name: 'ugly', shape: [31, 33], data: ugly(1023, 5) },
      { name: 'zeros', shape: [3, 5], data: new Float32Array(15) },
      { name: 'negative zeros', shape: [3, 5], data: new Float32Array(15).fill(-0) },
      { name: 'the end of f32', shape: [2, 2], data: Float32Array.of(3.4028234663852886e38, -3e38, 0, 1) }
    ]
    for (const quantize of QUANTIZE) {
      for (const prune of [undefined, { sparsity: 0.75 }]) {
        const recipe: Recipe = { ...(prune ? { prune } : {}), ...(quantize ? { quantize } : {}) }
        if (prune || quantize) await expectRestored({ inputs, options: recipe }, storedBy(recipe, inputs))
      }
    }
  })

  it('takes tensors of several tiles', async () => {
    const inputs = [input('a', [50, 701], 1), input('b', [2, 20001], 2, 'F16'), input('c', [5, 2401, 3], 3, 'F64')]
    const recipes: Recipe[] = [
      { prune: { sparsity: 0.8 } },
      { prune: { sparsity: 0.8 }, quantize: { format: 'int4', group: 32, symmetric: false } },
      { prune: { pattern: '2:4' }, quantize: { format: 'int8', axis: 1 } },
      { quantize: { format: 'uint4', group: 33 } },
      { quantize: { format: 'bfloat16' } }
    ]
    for (const recipe of recipes) await expectRestored({ inputs, options: recipe }, storedBy(recipe, inputs))
  })

  it('takes scalars and leaves empty tensors alone', async () => {
    const inputs: Input[] = [
      { name: 'scalar', shape: [], data: Float32Array.of(-1.25) },
      { name: 'empty', shape: [0], data: new Float32Array(0) },
      { name: 'empty rows', dtype: 'F16', shape: [3, 0, 2], data: new Uint16Array(0) },
      { name: 'one', shape: [1, 1, 1], data: Float32Array.of(3) }
    ]
    const full = inputs.filter(({ data }) => data.length > 0)
    const recipes: Recipe[] = [
      { quantize: { format: 'int4' } },
      { quantize: { format: 'uint8', group: 3, symmetric: false } },
      { quantize: { format: 'float16' } },
      { prune: { sparsity: 1 } },
      { prune: { sparsity: 0.4 }, quantize: { format: 'int4' } },
      { prune: { pattern: '2:4' } }
    ]
    for (const recipe of recipes) {
      await expectRestored({ inputs, options: { ...recipe, ...all } }, storedBy(recipe, full))
    }
  })

  it('keeps a mask only where that is smaller', async () => {
    // 64 f32 and 8 bytes of mask: smaller from 3 removed on (244 + 8 < 256), not at 2 (248 + 8 = 256).
    const inputs = [input('w', [8, 8], 1)]
    for (const [removed, sparse] of [
      [0, false],
      [1, false],
      [2, false],
      [3, true]
    ] as const) {
      const prune = { sparsity: removed / 64 }
      const { bytes } = await compressModel(await openInputs(inputs), { prune })
      expect(readRaw(bytes!).arrays.has('w:mask'), `${removed} removed`).toBe(sparse)
      await expectRestored({ inputs, options: { prune } }, storedBy({ prune }, inputs))
    }
  })

  it('stores 16-bit floats that are only pruned in 16 bits', async () => {
    const inputs = [input('half', [20, 20], 1, 'F16'), input('brain', [20, 20], 2, 'BF16')]
    for (const prune of [{ sparsity: 0.01 }, { sparsity: 0.1 }, { pattern: '2:4' }]) {
      const { tensors } = await expectRestored({ inputs, options: { prune } }, storedBy({ prune }, inputs))
      for (const { before, after } of tensors) expect(after).toBeLessThanOrEqual(before)
    }
  })
})

describe('two factors for each matrix', () => {
  const low = (name: string, shape: number[], rank: number, seed: number): Input => {
    const n = sizeOf(shape.slice(1))
    const data = productOracle(normals(shape[0] * rank, seed), normals(n * rank, seed + 1), rank)
    return { name, shape, data }
  }
  const inputs: Input[] = [low('a', [20, 30], 3, 1), low('b', [16, 3, 5], 2, 3), low('c', [8, 2, 2, 7], 1, 5)]

  /** The factors are the verb's own, tested beside it; what becomes of them is the oracles'. */
  function factorsBy(target: NonNullable<Recipe['lowRank']>, recipe: Recipe, tensors: Input[]): Map<string, Stored> {
    const { quantize: q, prune } = recipe
    const quantize = q && { ...q, ...(q.axis === undefined ? {} : { axis: 0 }) }
    const inner: Recipe = { ...(prune ? { prune } : {}), ...(quantize ? { quantize } : {}) }
    return new Map(
      tensors.map((tensor) => {
        const { name, shape } = tensor
        const { u, v, rank } = lowRank({ data: f32Of(tensor), shape: [shape[0], sizeOf(shape.slice(1))] }, target)
        const left = storedOracle(`${name}:u`, u.data as Float32Array, u.shape, inner)
        const right = storedOracle(`${name}:v`, v.data as Float32Array, v.shape, inner)
        const values = productOracle(left.values, right.values, rank)
        return [name, { parts: new Map([...left.parts, ...right.parts]), values }]
      })
    )
  }

  for (const prune of [undefined, { sparsity: 0.5 }, { pattern: '2:4' }]) {
    it(`restores what the oracles say of every format: ${label({ prune })}`, async () => {
      for (const quantize of QUANTIZE) {
        const recipe: Recipe = { ...(prune ? { prune } : {}), ...(quantize ? { quantize } : {}) }
        for (const target of [{ rank: 1 }, { energy: 0.9 }, { maxRelativeError: 0.5 }]) {
          await expectRestored({ inputs, options: { lowRank: target, ...recipe } }, factorsBy(target, recipe, inputs))
        }
      }
    })
  }

  it('takes F64, F16 and BF16', async () => {
    const mixed = DTYPES.map((dtype, i) => {
      const { data, shape } = low('', [20, 30], 2, i)
      const to = { F64: Float64Array, F32: Float32Array }[dtype as string]
      const converted = to
        ? to.from(data as Float32Array)
        : Uint16Array.from(data as Float32Array, dtype === 'F16' ? float16Bits : bfloat16Bits)
      return { name: dtype, dtype, shape, data: converted }
    })
    const target = { rank: 2 }
    await expectRestored({ inputs: mixed, options: { lowRank: target } }, factorsBy(target, {}, mixed))
  })

  it('meets its targets, with the least rank', async () => {
    const noisy = normals(40 * 50, 9)
    low('', [40, 50], 5, 7).data.forEach((x, i) => (noisy[i] = noisy[i] * 0.1 + Number(x)))
    const model = await openInputs([{ name: 'w', shape: [40, 50], data: noisy }])
    const errorOf = async (target: NonNullable<Recipe['lowRank']>) => {
      const { report } = await compressModel(model, { lowRank: target })
      const rank = Number(/^rank (\d+)$/.exec(report.tensors[0].encoding)![1])
      return { rank, error: report.tensors[0].error!.relativeError }
    }
    expect((await errorOf({ rank: 4 })).rank).toBe(4)
    for (const energy of [0.5, 0.9, 0.99]) {
      const { rank, error } = await errorOf({ energy })
      expect(1 - error ** 2).toBeGreaterThanOrEqual(energy - 1e-6)
      if (rank > 1) expect(1 - (await errorOf({ rank: rank - 1 })).error ** 2).toBeLessThan(energy)
    }
    for (const maxRelativeError of [0.7, 0.3, 0.1]) {
      const { rank, error } = await errorOf({ maxRelativeError })
      expect(error).toBeLessThanOrEqual(maxRelativeError)
      if (rank > 1) expect((await errorOf({ rank: rank - 1 })).error).toBeGreaterThan(maxRelativeError)
    }
  })

  it('measures the error of F64 on the F32 factors that it stores', async () => {
    const data = Float64Array.from(low('', [30, 30], 2, 1).data as Float32Array, (x) => x / 3)
    const model = await openInputs([{ name: 'w', dtype: 'F64', shape: [30, 30], data }])
    expect(await rejection(compressModel(model, { lowRank: { maxRelativeError: 1e-9 } }))).toMatchObject({
      code: 'bad-tensor',
      message: expect.stringMatching(/tensor "w": .*maxRelativeError/)
    })
    const { report } = await compressModel(model, { lowRank: { maxRelativeError: 1e-6 } })
    expect(report.tensors[0].error!.relativeError).toBeLessThanOrEqual(1e-6)
  })

  it('leaves out what would not save anything, or is no matrix, with a note, and does the rest', async () => {
    const tensors = [input('square', [10, 10], 1), input('vector', [12], 2), input('thin', [3, 50], 3)]
    const recipe: Recipe = { quantize: { format: 'int8' } }
    const expected = storedBy(recipe, tensors)
    const options = { lowRank: { rank: 5 }, ...recipe, ...all }
    const report = await expectRestored({ inputs: tensors, options }, expected)
    expect(report.tensors.map(({ note }) => note)).toEqual([
      expect.stringMatching(/^rank 5 would not save/),
      expect.stringMatching(/^no matrix/),
      expect.stringMatching(/^rank is at most 3/)
    ])
    const alone = await rejection(compressModel(await openInputs(tensors), { lowRank: { rank: 5 }, ...all }))
    expect(alone).toBeInstanceOf(RangeError)
    expect(alone.message).toMatch(/nothing could be compressed; tensor "square": rank 5 would not save/)
    // 4 (10 + 10) of 100 numbers are worth it.
    const report4 = await expectRestored(
      { inputs: tensors, options: { lowRank: { rank: 4 } } },
      new Map([...factorsBy({ rank: 4 }, {}, [tensors[0]])])
    )
    expect(report4.tensors[0].note).toBeUndefined()
  })

  it('never makes F32 factors that are larger than a tensor of 16-bit floats', async () => {
    const half = [input('half', [20, 20], 1, 'F16')]
    // 2 * 20 * 20 = 800 bytes: factors of rank 4 are 640, of rank 5 are 800.
    for (const [rank, made] of [
      [4, true],
      [5, false]
    ] as const) {
      const target = { rank }
      if (made) await expectRestored({ inputs: half, options: { lowRank: target } }, factorsBy(target, {}, half))
      else {
        const error = await rejection(compressModel(await openInputs(half), { lowRank: target }))
        expect(error.message).toMatch(/nothing could be compressed; .*would not save/)
      }
      // Quantised they are half of what the codes of the whole would be.
      const quantize = { format: 'int8' } as const
      await expectRestored(
        { inputs: half, options: { lowRank: target, quantize } },
        factorsBy(target, { quantize }, half)
      )
    }
  })
})

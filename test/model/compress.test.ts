import { describe, expect, it } from 'vitest'
import { lowRank } from '../../src/index.js'
import { FormatError, compressModel, decompressModel, encodeNpy, openModel } from '../../src/model/index.js'
import type { CompressOptions, CompressReport, Dtype, ModelProgress, Recipe } from '../../src/model/index.js'
import { compareOracle } from '../oracle/linalg.js'
import { pruneOracle } from '../oracle/prune.js'
import { bfloat16Bits, float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import type { Input, Stored } from '../support/models.js'
import { expectParts, f32Of, openInputs, productOracle, readRaw, storedOracle } from '../support/models.js'
import { normals, normals64 } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'
import { FLOAT_FORMATS, INTEGER_FORMATS, ugly } from '../support/quantize.js'
import { bytesOf, rejection } from '../support/files.js'

const all = { select: () => true }

function input(name: string, shape: number[], seed: number, dtype: Dtype = 'F32'): Input {
  const length = sizeOf(shape)
  if (dtype === 'F64') return { name, dtype, shape, data: normals64(length, seed) }
  const values = normals(length, seed)
  if (dtype === 'F32') return { name, dtype, shape, data: values }
  return { name, dtype, shape, data: Uint16Array.from(values, dtype === 'F16' ? float16Bits : bfloat16Bits) }
}

const SHAPES = [[1], [7], [257], [5, 3], [17, 33], [2, 3, 4], [3, 1, 5], [2, 3, 2, 5]]
const DTYPES: Dtype[] = ['F32', 'F64', 'F16', 'BF16']

const vectors = SHAPES.map((shape, i) => input(`${shape.join('x')}`, shape, i + 1, DTYPES[i % 4]))
const matrices = vectors.filter(({ shape }) => shape.length > 1)

interface Case {
  inputs: Input[]
  options: CompressOptions
}

/** Compresses, restores, and holds file and report against what the oracles say of each tensor that is compressed. */
async function expectRestored({ inputs, options }: Case, expected: Map<string, Stored>): Promise<CompressReport> {
  const model = await openInputs(inputs, { author: 'a test' })
  const { report, bytes } = await compressModel(model, options)
  const raw = readRaw(bytes!)
  expect(raw.metadata.author).toBe('a test')
  const names: string[] = []
  for (const { parts } of expected.values()) expectParts(raw, parts)
  const small = await openModel(bytes!)
  const plain = readRaw((await decompressModel(small)).bytes!)
  expect(small.tensors.map(({ name }) => name)).toEqual(inputs.map(({ name }) => name))
  expect(report.tensors.map(({ name }) => name)).toEqual(inputs.map(({ name }) => name))
  for (const [i, { name, dtype = 'F32', shape, data }] of inputs.entries()) {
    const row = report.tensors[i]
    const stored = expected.get(name)
    const bytesBefore = data.byteLength
    if (!stored) {
      expect(row).toMatchObject({ name, shape, encoding: dtype, before: bytesBefore, after: bytesBefore, ratio: 1 })
      expect(row.error).toBeUndefined()
      expect(raw.arrays.get(name)).toMatchObject({ dtype, shape })
      expect(Buffer.compare(raw.arrays.get(name)!.bytes, bytesOf(data))).toBe(0)
      names.push(name)
      continue
    }
    names.push(...stored.parts.keys())
    const restored = await small.read(name)
    expect(restored).toMatchObject({ name, dtype: 'F32', shape })
    expectSameBits(restored.data as Float32Array, stored.values, `restored ${name}`)
    expect(plain.arrays.get(name)).toMatchObject({ dtype: 'F32', shape })
    expect(Buffer.compare(plain.arrays.get(name)!.bytes, bytesOf(stored.values)), `decompressed ${name}`).toBe(0)
    const after = [...stored.parts.keys()].reduce((sum, part) => sum + raw.arrays.get(part)!.bytes.length, 0)
    expect(row).toMatchObject({ name, shape, before: bytesBefore, after, ratio: bytesBefore / after })
    // Against the numbers of the file, of f64 too.
    const error = compareOracle(dtype === 'F64' ? (data as Float64Array) : f32Of({ dtype, shape, data }), stored.values)
    for (const key of ['meanSquaredError', 'maxAbsoluteError', 'relativeError', 'snr'] as const) {
      const [got, wanted] = [row.error![key], error[key]]
      if (got !== wanted) expect(Math.abs(got / wanted - 1), `${key} of ${name}: ${got}, ${wanted}`).toBeLessThan(1e-12)
    }
    expect(small.tensors[i]).toMatchObject({
      name,
      dtype,
      shape,
      encoding: row.encoding,
      byteLength: after,
      originalByteLength: bytesBefore,
      compressed: true
    })
  }
  expect([...raw.arrays.keys()].sort()).toEqual(names.sort())
  expect(report).toMatchObject({ before: model.size, after: bytes!.length, ratio: model.size / bytes!.length })
  expect(bytes!.length).toBe(raw.dataStart + [...raw.arrays.values()].reduce((sum, part) => sum + part.bytes.length, 0))
  return report
}

/** 16-bit floats that are only pruned keep their type. */
function effective(recipe: Recipe, dtype: Dtype | undefined): Recipe {
  if (recipe.quantize || (dtype !== 'F16' && dtype !== 'BF16')) return recipe
  return { ...recipe, quantize: { format: dtype === 'F16' ? 'float16' : 'bfloat16' } }
}

const storedBy = (recipe: Recipe, inputs: Input[]): Map<string, Stored> =>
  new Map(
    inputs.map((tensor) => [
      tensor.name,
      storedOracle(tensor.name, f32Of(tensor), tensor.shape, effective(recipe, tensor.dtype))
    ])
  )

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

describe('which tensors', () => {
  const recipe: Recipe = { quantize: { format: 'int8' } }
  const mixed: Input[] = [
    input('matrix', [4, 5], 1),
    input('vector', [9], 2),
    { name: 'whole', dtype: 'I32', shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) },
    { name: 'long', dtype: 'I64', shape: [1, 2], data: BigInt64Array.of(1n, 2n) },
    { name: 'eight', dtype: 'F8_E4M3', shape: [2, 2], data: Uint8Array.of(1, 2, 3, 4) },
    { name: 'complex', dtype: 'C64', shape: [1, 2], data: Float32Array.of(1, 2, 3, 4) },
    { name: 'flags', dtype: 'BOOL', shape: [2, 1], data: Uint8Array.of(1, 0) },
    input('half', [3, 4], 3, 'F16')
  ]

  it('takes floats of two or more dimensions by default', async () => {
    const chosen = mixed.filter(({ name }) => name === 'matrix' || name === 'half')
    await expectRestored({ inputs: mixed, options: recipe }, storedBy(recipe, chosen))
  })

  it('takes the only tensor of a file whatever its shape', async () => {
    for (const only of [input('v', [9], 1), input('s', [], 2)]) {
      await expectRestored({ inputs: [only], options: recipe }, storedBy(recipe, [only]))
    }
    const { bytes, report } = await compressModel(await openModel(encodeNpy(mixed[1])), recipe)
    expect(report.tensors[0]).toMatchObject({ name: 'data', encoding: 'int8' })
    const { values } = storedOracle('data', f32Of(mixed[1]), [9], recipe)
    expectSameBits((await (await openModel(bytes!)).read('data')).data as Float32Array, values)
  })

  it('takes what `select` says, of floats only', async () => {
    const seen: unknown[] = []
    const select: CompressOptions['select'] = (tensor) => {
      seen.push([tensor.name, tensor.dtype, tensor.compressed])
      return tensor.name !== 'matrix'
    }
    const chosen = mixed.filter(({ name }) => name === 'vector' || name === 'half')
    await expectRestored({ inputs: mixed, options: { ...recipe, select } }, storedBy(recipe, chosen))
    expect(seen).toEqual([
      ['matrix', 'F32', false],
      ['vector', 'F32', false],
      ['half', 'F16', false]
    ])
    await expectRestored({ inputs: mixed, options: { ...recipe, select: () => false } }, new Map())
    await expectRestored({ inputs: [], options: recipe }, new Map())
  })

  it('carries names of any kind', async () => {
    const names = ['a b', '"quoted"', 'größe', '層.0', '__proto__', '0', 'a:b', '', '\u0001\n']
    const inputs = names.map((name, i) => input(name, [3, 4], i))
    await expectRestored({ inputs, options: recipe }, storedBy(recipe, inputs))
  })

  it('refuses a name that the parts of another need', async () => {
    const cases: [string[], Recipe][] = [
      [['w', 'w:scales'], recipe],
      [['w:scales', 'w'], recipe],
      [['w', 'w:zeroPoints'], { quantize: { format: 'uint8' } }],
      [['w', 'w:mask'], { prune: { sparsity: 0.5 } }],
      [['w:u', 'w'], { lowRank: { rank: 1 } }],
      [['w', 'w:v:scales'], { lowRank: { rank: 1 }, quantize: { format: 'int8' } }]
    ]
    for (const [names, options] of cases) {
      const inputs = names.map((name, i) => input(name, [8, 9], i))
      const error = await rejection(
        compressModel(await openInputs(inputs), { ...options, select: ({ name }) => name === 'w' })
      )
      expect(error).toBeInstanceOf(FormatError)
      expect(error.code).toBe('duplicate-name')
      const taken = names.find((name) => name !== 'w')
      expect(error.message).toContain(`"${taken}"`)
      expect(error.message).toContain('"w"')
    }
    // A name like that of a part that is not needed does no harm.
    const harmless = [input('w', [8, 9], 1), input('w:zeroPoints', [8, 9], 2)]
    await expectRestored({ inputs: harmless, options: recipe }, storedBy(recipe, harmless))
  })
})

describe('global pruning', () => {
  const tensors = [
    input('small', [9, 7], 1),
    { name: 'large numbers', shape: [5, 5], data: normals(25, 2, 100) },
    input('vector', [40], 3),
    input('half', [6, 6], 4, 'F16'),
    { name: 'equal', shape: [4, 10], data: new Float32Array(40).fill(0.25) },
    { name: 'also equal', shape: [10, 4], data: new Float32Array(40).fill(-0.25) }
  ]

  it('takes the fraction over all tensors that are compressed, as prune does', async () => {
    const chosen = tensors.filter(({ name }) => name !== 'vector')
    for (const sparsity of [0, 0.2, 0.37, 0.5, 0.9, 1]) {
      for (const quantize of [undefined, { format: 'int4', group: 8, symmetric: false } as const]) {
        const recipe: Recipe = { prune: { sparsity, scope: 'global' }, ...(quantize ? { quantize } : {}) }
        const pruned = pruneOracle(chosen.map(f32Of), { sparsity, scope: 'global' })
        const expected = new Map(
          chosen.map((tensor, i) => {
            const one = effective(recipe, tensor.dtype)
            return [tensor.name, storedOracle(tensor.name, f32Of(tensor), tensor.shape, one, pruned[i])]
          })
        )
        await expectRestored({ inputs: tensors, options: recipe }, expected)
      }
    }
  })

  it('differs from pruning each by itself', async () => {
    const model = await openInputs(tensors)
    const after = async (scope: 'layer' | 'global') => {
      const { report } = await compressModel(model, { prune: { sparsity: 0.5, scope } })
      return report.tensors.map((tensor) => tensor.after)
    }
    expect(await after('global')).not.toEqual(await after('layer'))
  })

  it('names the tensor with numbers that are not finite', async () => {
    for (const sparsity of [0, 0.5]) {
      const broken = [tensors[0], { name: 'bad', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, NaN, 6) }]
      const error = await rejection(compressModel(await openInputs(broken), { prune: { sparsity, scope: 'global' } }))
      expect(error).toMatchObject({ code: 'bad-tensor', message: expect.stringMatching(/"bad".*NaN at index 4/) })
    }
  })
})

describe('progress, sinks, repeatability', () => {
  const recipe: Recipe = { prune: { sparsity: 0.6 }, quantize: { format: 'int4', group: 32, symmetric: false } }

  it('tells each tensor as it is done', async () => {
    const steps: ModelProgress[] = []
    const model = await openInputs(vectors)
    await compressModel(model, { ...recipe, onProgress: (progress) => steps.push(progress) })
    const bytes = vectors.reduce((sum, { data }) => sum + data.byteLength, 0)
    let bytesDone = 0
    expect(steps).toEqual(
      vectors.map(({ name, data }, i) => {
        bytesDone += data.byteLength
        return { name, done: i + 1, total: vectors.length, bytesDone, bytes }
      })
    )
    expect(bytesDone).toBe(bytes)
  })

  it.each(['layer', 'global'] as const)('ends with the reason of its signal, scope %s', async (scope) => {
    const controller = new AbortController()
    const options: CompressOptions = { prune: { sparsity: 0.5, scope }, signal: controller.signal }
    const stopAt = vectors.length - 1
    let reads = 0
    const model = await openInputs(vectors)
    const counting = { ...model, read: (name: string) => (reads++, model.read(name)) }
    const onProgress = ({ done }: ModelProgress): void => {
      if (done === stopAt) controller.abort(new Error('enough'))
    }
    expect((await rejection(compressModel(counting, { ...options, onProgress }))).message).toBe('enough')
    const before = reads
    expect((await rejection(compressModel(counting, options))).message).toBe('enough')
    expect(reads).toBe(before)
  })

  it('writes the same bytes twice, and to a sink the same as it returns', async () => {
    for (const options of [recipe, { lowRank: { energy: 0.8 }, ...recipe }]) {
      const first = (await compressModel(await openInputs(matrices), options)).bytes!
      const second = (await compressModel(await openInputs(matrices), options)).bytes!
      expect(Buffer.compare(first, second)).toBe(0)
      const written = new Uint8Array(first.length)
      const sink = { write: async (position: number, bytes: Uint8Array) => written.set(bytes, position) }
      const result = await compressModel(await openInputs(matrices), { ...options, sink })
      expect(result.bytes).toBeUndefined()
      expect(result.report.after).toBe(first.length)
      expect(Buffer.compare(written, first)).toBe(0)
    }
  })

  it('passes on what the sink throws', async () => {
    const full = { write: async () => Promise.reject(new Error('disk full')) }
    await expect(compressModel(await openInputs(matrices), { ...recipe, sink: full })).rejects.toThrow('disk full')
  })
})

describe('bad input', () => {
  const good = input('good', [4, 5], 1)

  it('refuses what is compressed already', async () => {
    const { bytes } = await compressModel(await openInputs([good]), { quantize: { format: 'int8' } })
    const error = await rejection(compressModel(await openModel(bytes!), { quantize: { format: 'int8' } }))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toMatch(/compressed already.*decompress/)
  })

  it('names tensor and index of a number that is not finite', async () => {
    const recipes: Recipe[] = [
      { quantize: { format: 'int8' } },
      { quantize: { format: 'float16' } },
      { prune: { sparsity: 0 } },
      { prune: { sparsity: 0.5 } },
      { prune: { pattern: '2:4' } },
      { lowRank: { rank: 1 } },
      { lowRank: { energy: 0.5 }, prune: { sparsity: 0.5 }, quantize: { format: 'int4' } }
    ]
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const recipe of recipes) {
        for (const dtype of DTYPES) {
          const broken = input('layer.bad', [6, 8], 2, dtype)
          const patterns = dtype === 'F16' ? float16Bits : dtype === 'BF16' ? bfloat16Bits : Number
          broken.data.set([patterns(bad)] as never, 13)
          const error = await rejection(compressModel(await openInputs([good, broken]), recipe))
          expect(error).toBeInstanceOf(FormatError)
          expect(error.code).toBe('bad-tensor')
          expect(error.message).toContain('"layer.bad"')
          expect(error.message).toContain(`${bad} at index 13`)
        }
      }
    }
  })

  it('names tensor and index of a number beyond f32', async () => {
    const data = normals64(20, 1)
    data[7] = 1e300
    const model = await openInputs([{ name: 'wide', shape: [4, 5], data }])
    const recipes: Recipe[] = [{ quantize: { format: 'int8' } }, { prune: { sparsity: 0.5 } }, { lowRank: { rank: 1 } }]
    for (const recipe of recipes) {
      expect(await rejection(compressModel(model, recipe))).toMatchObject({
        code: 'bad-tensor',
        message: expect.stringMatching(/"wide".*float32, got 1e\+300 at index 7/)
      })
    }
  })

  it('does not look at the numbers of tensors that it leaves alone', async () => {
    const bias = { name: 'bias', shape: [3], data: Float32Array.of(NaN, Infinity, 1) }
    const { bytes } = await compressModel(await openInputs([good, bias]), { quantize: { format: 'int8' } })
    expectSameBits((await (await openModel(bytes!)).read('bias')).data as Float32Array, bias.data)
  })

  it('names the tensor that an axis does not fit', async () => {
    const model = await openInputs([input('cube', [2, 3, 4], 1), input('flat', [3, 4], 2)])
    for (const axis of [2, -3]) {
      const error = await rejection(compressModel(model, { quantize: { format: 'int8', axis } }))
      expect(error).toBeInstanceOf(RangeError)
      expect(error.message).toMatch(/"axis" expected from -2 to 1 for tensor "flat" of shape \[3, 4\], got/)
    }
  })

  it.each<[string, unknown, new () => Error, RegExp]>([
    ['no options', undefined, TypeError, /options/],
    ['no step', {}, TypeError, /at least one of quantize, prune, lowRank/],
    ['an unknown option', { quantise: { format: 'int8' } }, TypeError, /unknown option "quantise"/],
    ['an unknown option of quantize', { quantize: { format: 'int8', bits: 4 } }, TypeError, /unknown option "bits"/],
    ['scales of its own', { quantize: { format: 'int8', scales: [1] } }, TypeError, /unknown option "scales"/],
    ['an unknown option of prune', { prune: { sparsity: 0.5, mode: 'x' } }, TypeError, /unknown option "mode"/],
    ['an unknown option of lowRank', { lowRank: { rank: 2, tol: 1 } }, TypeError, /unknown option "tol"/],
    ['an unknown format', { quantize: { format: 'int3' } }, TypeError, /int8, uint8, int4.*"int3"/],
    ['no format', { quantize: {} }, TypeError, /format/],
    ['quantize null', { quantize: null }, TypeError, /quantize/],
    ['a group of 0', { quantize: { format: 'int8', group: 0 } }, RangeError, /group/],
    ['half a group', { quantize: { format: 'int8', group: 1.5 } }, RangeError, /group/],
    ['half an axis', { quantize: { format: 'int8', axis: 0.5 } }, RangeError, /axis/],
    ['an axis that is text', { quantize: { format: 'int8', axis: '0' } }, TypeError, /axis/],
    ['an axis for a float', { quantize: { format: 'float16', axis: 0 } }, TypeError, /"axis" does not apply/],
    ['a group for a float', { quantize: { format: 'bfloat16', group: 4 } }, TypeError, /"group" does not apply/],
    ['symmetric for a float', { quantize: { format: 'float16', symmetric: true } }, TypeError, /"symmetric"/],
    ['sparsity 2', { prune: { sparsity: 2 } }, RangeError, /\[0, 1\], got 2/],
    ['sparsity below 0', { prune: { sparsity: -0.1 } }, RangeError, /sparsity/],
    ['sparsity NaN', { prune: { sparsity: NaN } }, RangeError, /sparsity/],
    ['neither sparsity nor pattern', { prune: {} }, TypeError, /either "sparsity" or "pattern"/],
    ['sparsity and pattern', { prune: { sparsity: 0.5, pattern: '2:4' } }, TypeError, /either/],
    ['a pattern that is none', { prune: { pattern: '4:2' } }, RangeError, /N:M/],
    ['an unknown scope', { prune: { sparsity: 0.5, scope: 'all' } }, TypeError, /scope/],
    ['a global pattern', { prune: { pattern: '2:4', scope: 'global' } }, TypeError, /global/],
    ['global factors', { prune: { sparsity: 0.5, scope: 'global' }, lowRank: { rank: 1 } }, TypeError, /global/],
    ['no target', { lowRank: {} }, TypeError, /exactly one of rank, energy, maxRelativeError, got 0/],
    ['two targets', { lowRank: { rank: 1, energy: 0.5 } }, TypeError, /exactly one of .*, got 2/],
    ['rank 0', { lowRank: { rank: 0 } }, RangeError, /rank/],
    ['rank 1.5', { lowRank: { rank: 1.5 } }, RangeError, /rank/],
    ['energy 0', { lowRank: { energy: 0 } }, RangeError, /energy/],
    ['energy above 1', { lowRank: { energy: 1.01 } }, RangeError, /energy/],
    ['a negative error', { lowRank: { maxRelativeError: -1 } }, RangeError, /maxRelativeError/],
    [
      'a select that is none',
      { prune: { sparsity: 0.5 }, select: 'fc*' },
      TypeError,
      /"select" expected a function of a tensor, got "fc\*"/
    ],
    ['a signal that is none', { prune: { sparsity: 0.5 }, signal: {} }, TypeError, /"signal" expected an AbortSignal/],
    ['an onProgress that is none', { prune: { sparsity: 0.5 }, onProgress: true }, TypeError, /onProgress/]
  ])('refuses %s before anything is read', async (_, options, type, message) => {
    const model = { ...(await openInputs([good])), read: () => Promise.reject(new Error('was read')) }
    const error = await rejection(compressModel(model, options as CompressOptions))
    expect(error).toBeInstanceOf(type)
    expect(error.message).toMatch(message)
  })
})

describe('the order of a compressed file', () => {
  const odd = (name: string, rows: number): Input => input(name, [rows, 5], rows)

  it('aligns every array to its elements, and gives tensors in the order of the source', async () => {
    const tensors = [odd('a', 3), odd('b', 7), input('bias', [3], 4), odd('c', 9)]
    const { bytes } = await compressModel(await openInputs(tensors), { quantize: { format: 'int8', axis: 0 } })
    const { arrays, dataStart } = readRaw(bytes!)
    expect(dataStart % 8).toBe(0)
    for (const [name, { dtype, bytes: part }] of arrays) {
      const size = dtype === 'F32' ? 4 : 1
      expect((part.byteOffset - bytes!.byteOffset) % size, name).toBe(0)
    }
    const { tensors: names } = await openModel(bytes!)
    expect(names.map(({ name }) => name)).toEqual(['a', 'b', 'bias', 'c'])
  })
})

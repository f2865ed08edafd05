import { describe, expect, it } from 'vitest'
import { FormatError, compressModel, encodeNpy, openModel } from '../../src/model/index.js'
import type { CompressOptions, Recipe } from '../../src/model/index.js'
import { pruneOracle } from '../oracle/prune.js'
import { expectSameBits } from '../support/bits.js'
import type { Input } from '../support/models.js'
import { f32Of, openInputs, storedOracle } from '../support/models.js'
import { normals } from '../support/random.js'
import { rejection } from '../support/files.js'
import { input, expectRestored, effective, storedBy } from '../support/compress.js'

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

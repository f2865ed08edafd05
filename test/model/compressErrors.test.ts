import { describe, expect, it } from 'vitest'
import { FormatError, compressModel, openModel } from '../../src/model/index.js'
import type { CompressOptions, Recipe } from '../../src/model/index.js'
import { bfloat16Bits, float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { openInputs } from '../support/models.js'
import { normals64 } from '../support/random.js'
import { rejection } from '../support/files.js'
import { input, DTYPES } from '../support/compress.js'

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

import { describe, expect, it } from 'vitest'
import { compressModel, openModel } from '../../src/model/index.js'
import type { CompressOptions, ModelProgress, Recipe } from '../../src/model/index.js'
import type { Input } from '../support/models.js'
import { openInputs, readRaw } from '../support/models.js'
import { rejection } from '../support/files.js'
import { input, vectors } from '../support/compress.js'

const matrices = vectors.filter(({ shape }) => shape.length > 1)

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

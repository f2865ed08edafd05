import { describe, expect, it } from 'vitest'
import { encodeNpy, encodeSafetensors, openModel } from '../../src/model/index.js'
import { FormatError } from '../../src/model/index.js'
import { artefact, readRaw } from '../support/models.js'
import { counting, rejection } from '../support/files.js'
import { inputs, compressed } from '../support/artefacts.js'

describe('openModel', () => {
  it('sees a plain file as it is', async () => {
    const file = encodeSafetensors(inputs, { author: 'a test' })
    const model = await openModel(file)
    expect(model).toMatchObject({
      format: 'safetensors',
      sourceFormat: 'safetensors',
      metadata: { author: 'a test' },
      size: file.length,
      compressed: false
    })
    expect(model.tensors).toEqual(
      inputs.map(({ name, shape, data, dtype = 'F32' }) => ({
        name,
        dtype,
        shape,
        encoding: dtype,
        byteLength: data.byteLength,
        originalByteLength: data.byteLength,
        compressed: false
      }))
    )
    for (const { name, shape, data } of inputs) {
      expect(await model.read(name)).toMatchObject({ name, shape, data, byteLength: data.byteLength })
    }
  })

  it('sees a .npy file as one tensor', async () => {
    const file = encodeNpy(inputs[0])
    const model = await openModel(new Blob([file]))
    expect(model).toMatchObject({ format: 'npy', sourceFormat: 'npy', compressed: false, size: file.length })
    expect(model.tensors.map(({ name, shape }) => [name, shape])).toEqual([['data', [6, 8]]])
    expect((await model.read('data')).data).toEqual(inputs[0].data)
  })

  it('sees tensors, not their parts, in a compressed file', async () => {
    for (const options of [
      { quantize: { format: 'int8', axis: 0 } },
      { lowRank: { rank: 2 }, prune: { sparsity: 0.5 }, quantize: { format: 'int4', group: 4, symmetric: false } }
    ] as const) {
      const file = await compressed(options)
      const model = await openModel(file)
      expect(model).toMatchObject({ compressed: true, sourceFormat: 'safetensors', size: file.length })
      expect(model.metadata).toEqual({ author: 'a test' })
      expect(model.tensors.map(({ name, dtype, shape, compressed: c }) => [name, dtype, shape, c])).toEqual([
        ['fc.weight', 'F32', [6, 8], true],
        ['fc.bias', 'F32', [6], false],
        ['steps', 'I64', [], false]
      ])
      expect((await model.read('steps')).data).toEqual(BigInt64Array.of(7n))
      const part = [...readRaw(file).arrays.keys()].find((name) => name.startsWith('fc.weight:'))!
      expect(await rejection(model.read(part))).toMatchObject({
        name: 'RangeError',
        message: expect.stringContaining('part')
      })
      expect(await rejection(model.read('fc'))).toBeInstanceOf(RangeError)
    }
  })

  it('says how each is stored', async () => {
    const cases = [
      [{ quantize: { format: 'int8' } }, 'int8'],
      [{ quantize: { format: 'int8', axis: -1 } }, 'int8, axis -1'],
      [{ quantize: { format: 'uint4', group: 4, axis: 1, symmetric: false } }, 'uint4, group 4, axis 1, asymmetric'],
      [{ quantize: { format: 'bfloat16' } }, 'bfloat16'],
      [{ prune: { sparsity: 0.75 } }, '75% pruned'],
      [{ prune: { pattern: '2:4' }, quantize: { format: 'int8' } }, '50% pruned, int8'],
      [{ lowRank: { rank: 2 } }, 'rank 2'],
      [{ lowRank: { rank: 2 }, prune: { sparsity: 0.5 }, quantize: { format: 'int8' } }, 'rank 2, 50% pruned, int8']
    ] as const
    for (const [options, encoding] of cases) {
      expect((await openModel(await compressed(options))).tensors[0].encoding).toBe(encoding)
    }
  })

  it('reads the header at first, then only what it is asked for', async () => {
    const file = await compressed({ quantize: { format: 'int8', axis: 0 } })
    const source = counting(file)
    const model = await openModel(source)
    const { arrays, dataStart } = readRaw(file)
    expect(source.reads.every(([offset, length]) => offset + length <= dataStart)).toBe(true)
    source.reads.length = 0
    await model.read('fc.weight')
    const needed = ['fc.weight', 'fc.weight:scales'].map((name) => arrays.get(name)!.bytes)
    expect(source.reads).toEqual(needed.map((bytes) => [bytes.byteOffset - file.byteOffset, bytes.length]))
    expect(source.closed).toBe(0)
    await model.close()
    expect(source.closed).toBe(1)
    expect((await rejection(model.read('fc.weight'))).message).toMatch(/closed/)
  })

  it('closes a source that it refuses', async () => {
    const source = counting(encodeSafetensors([], artefact([], { version: 2 })))
    expect(await rejection(openModel(source))).toBeInstanceOf(FormatError)
    expect(source.closed).toBe(1)
  })
})

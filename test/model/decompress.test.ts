import { describe, expect, it } from 'vitest'
import { compressModel, decompressModel, encodeNpy, encodeSafetensors, openModel } from '../../src/model/index.js'
import type { DecompressOptions, ModelProgress } from '../../src/model/index.js'
import { bfloat16Value, float16Value } from '../oracle/quantize.js'
import type { Input } from '../support/models.js'
import { openInputs, readRaw, storedOracle } from '../support/models.js'
import { normals } from '../support/random.js'
import { bytesOf, concat, rejection } from '../support/files.js'

const weight: Input = { name: 'weight', shape: [3, 4], data: normals(12, 1) }
/** All 16-bit patterns but those of NaN, which have many. */
const patterns = (nan: (bits: number) => boolean): Uint16Array<ArrayBuffer> =>
  Uint16Array.from({ length: 65536 }, (_, i) => i).filter((bits) => !nan(bits))
const halves = patterns((bits) => Number.isNaN(float16Value(bits)))
const brains = patterns((bits) => Number.isNaN(bfloat16Value(bits)))

const plain: Input[] = [
  weight,
  { name: 'half', dtype: 'F16', shape: [halves.length], data: halves },
  { name: 'brain', dtype: 'BF16', shape: [brains.length, 1], data: brains },
  { name: 'double', dtype: 'F64', shape: [2], data: Float64Array.of(1e300, -0) },
  { name: 'long', dtype: 'I64', shape: [], data: BigInt64Array.of(-1n) },
  { name: 'eight', dtype: 'F8_E5M2', shape: [3], data: Uint8Array.of(1, 2, 255) },
  { name: 'four', dtype: 'F4', shape: [3, 2], data: Uint8Array.of(1, 2, 255) },
  { name: 'empty', shape: [0, 2], data: new Float32Array(0) }
]

describe('decompressModel', () => {
  it('widens F16 and BF16, exactly, and carries every other type', async () => {
    const { bytes, size } = await decompressModel(await openInputs(plain, { author: 'a test' }))
    expect(size).toBe(bytes!.length)
    const { metadata, arrays } = readRaw(bytes!)
    expect(metadata).toEqual({ author: 'a test' })
    expect([...arrays.keys()]).toEqual(plain.map(({ name }) => name))
    for (const { name, dtype = 'F32', shape, data } of plain) {
      const value = dtype === 'F16' ? float16Value : bfloat16Value
      const wide = data instanceof Uint16Array ? Float32Array.from(data, value) : data
      const expected = data instanceof Uint16Array ? 'F32' : dtype
      expect(arrays.get(name), name).toMatchObject({ dtype: expected, shape })
      expect(Buffer.compare(arrays.get(name)!.bytes, bytesOf(wide)), name).toBe(0)
    }
  })

  it('carries NaN and infinities', async () => {
    const data = Float32Array.of(NaN, Infinity, -Infinity, -0)
    const half = Uint16Array.of(0x7e00, 0x7c00, 0xfc00, 0x8000)
    const model = await openInputs([
      { name: 'w', shape: [4], data },
      { name: 'half', dtype: 'F16', shape: [4], data: half }
    ])
    const result = await openModel((await decompressModel(model)).bytes!)
    for (const name of ['w', 'half']) expect((await result.read(name)).data).toEqual(data)
  })

  it('gives a .npy file back for one, else safetensors', async () => {
    const recipe = { quantize: { format: 'int8', axis: 0 } } as const
    const { values } = storedOracle('data', weight.data as Float32Array, weight.shape, recipe)
    const small = await openModel((await compressModel(await openModel(encodeNpy(weight)), recipe)).bytes!)
    expect(small.sourceFormat).toBe('npy')
    expect(small.format).toBe('safetensors')
    const restored = { shape: weight.shape, data: values as Float32Array<ArrayBuffer> }
    expect((await decompressModel(small)).bytes).toEqual(encodeNpy(restored))
    expect((await decompressModel(small, { format: 'safetensors' })).bytes).toEqual(
      encodeSafetensors([{ name: 'data', ...restored }])
    )
    const other = await openModel((await compressModel(await openInputs([weight]), recipe)).bytes!)
    expect(readRaw((await decompressModel(other)).bytes!).arrays.has('weight')).toBe(true)
    expect((await decompressModel(other, { format: 'npy' })).bytes).toEqual(encodeNpy(restored))
  })

  it('is what it was given where that is plain F32', async () => {
    const file = encodeSafetensors([weight, { name: 'b', shape: [], data: Float32Array.of(3) }], { z: '1', a: '2' })
    expect((await decompressModel(await openModel(file))).bytes).toEqual(file)
    const twice = await decompressModel(await openModel((await decompressModel(await openInputs(plain))).bytes!))
    expect(twice.bytes).toEqual((await decompressModel(await openInputs(plain))).bytes)
  })

  it('writes to a sink in order, and tells each tensor as it is done', async () => {
    const pieces: Uint8Array[] = []
    let end = 0
    const sink = {
      async write(position: number, bytes: Uint8Array) {
        expect(position).toBe(end)
        end += bytes.length
        pieces.push(bytes.slice())
      }
    }
    const steps: ModelProgress[] = []
    const onProgress = (progress: ModelProgress) => steps.push(progress)
    const result = await decompressModel(await openInputs(plain), { sink, onProgress })
    expect(result).toEqual({ size: end })
    const { bytes } = await decompressModel(await openInputs(plain))
    expect(Buffer.compare(concat(...pieces), bytes!)).toBe(0)
    expect(steps.map(({ name, done, total }) => [name, done, total])).toEqual(
      plain.map(({ name }, i) => [name, i + 1, plain.length])
    )
    const all = bytes!.length - readRaw(bytes!).dataStart
    expect(steps.at(-1)).toMatchObject({ bytesDone: all, bytes: all })
    expect(steps.every(({ bytesDone }, i) => i === 0 || bytesDone >= steps[i - 1].bytesDone)).toBe(true)
  })

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const onProgress = ({ done }: ModelProgress): void => {
      seen.push(done)
      if (done === 2) controller.abort(new Error('enough'))
    }
    const running = decompressModel(await openInputs(plain), { signal: controller.signal, onProgress })
    expect((await rejection(running)).message).toBe('enough')
    expect(seen).toEqual([1, 2])
    expect((await rejection(decompressModel(await openInputs(plain), { signal: {} as never }))).message).toMatch(
      /"signal" expected an AbortSignal/
    )
  })

  it('refuses .npy for several tensors, or a type that it lacks', async () => {
    const several = await rejection(decompressModel(await openInputs(plain), { format: 'npy' }))
    expect(several).toBeInstanceOf(RangeError)
    expect(several.message).toMatch(/npy.*one tensor, the model has 8/)
    const eight = await openInputs(plain.filter(({ name }) => name === 'eight'))
    expect(await rejection(decompressModel(eight, { format: 'npy' }))).toBeInstanceOf(RangeError)
  })

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { formats: 'npy' }, /unknown option "formats"/],
    ['an unknown format', { format: 'gguf' }, /npy, safetensors.*"gguf"/],
    ['no object', 'npy', /options/]
  ])('refuses %s', async (_, options, message) => {
    const error = await rejection(decompressModel(await openInputs([weight]), options as DecompressOptions))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(message)
  })
})

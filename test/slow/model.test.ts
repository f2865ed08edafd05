import { describe, expect, it } from 'vitest'
import { compressModel, openModel } from '../../src/model/index.js'
import type { CompressOptions, Model, Recipe } from '../../src/model/index.js'
import { expectSameBits } from '../support/bits.js'
import type { Input } from '../support/models.js'
import { expectParts, openInputs, readRaw, storedOracle } from '../support/models.js'
import { normals } from '../support/random.js'

/** More than is held back until the header is known. */
const BEYOND = (64 << 20) + 12345

function bulk(length = BEYOND, name = 'bulk'): Input {
  const data = new Uint8Array(length)
  for (let i = 0; i < data.length; i += 4093) data[i] = i
  return { name, shape: [length], data }
}

/** A file as it is written: any part at any time, but each byte once. */
class FileSink {
  private readonly pieces: { position: number; bytes: Uint8Array }[] = []

  async write(position: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) this.pieces.push({ position, bytes: bytes.slice() })
  }

  get size(): number {
    return this.pieces.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  whole(): Uint8Array<ArrayBuffer> {
    const pieces = this.pieces.sort((a, b) => a.position - b.position)
    const file = new Uint8Array(this.size)
    let end = 0
    for (const { position, bytes } of pieces) {
      if (position !== end) throw new Error(`a part begins at ${position}, the one before it ends at ${end}`)
      file.set(bytes, position)
      end += bytes.length
    }
    return file
  }
}

async function throughSink(model: Model, options: CompressOptions): Promise<Uint8Array<ArrayBuffer>> {
  const sink = new FileSink()
  const { report, bytes } = await compressModel(model, { ...options, sink })
  expect(bytes).toBeUndefined()
  const file = sink.whole()
  expect(report.after).toBe(file.length)
  expect(report.ratio).toBe(model.size / file.length)
  return file
}

const matrix = (name: string, shape: [number, number], seed: number): Input => ({
  name,
  shape,
  data: normals(shape[0] * shape[1], seed)
})

describe('outputs of more than 64 MiB', () => {
  const recipe: Recipe = { prune: { sparsity: 0.7 }, quantize: { format: 'int4', group: 32, symmetric: false } }

  it.each([
    ['at the start', 0],
    ['in the middle', 1],
    ['at the end', 2]
  ])('give the same tensors, whatever stands %s', async (_, place) => {
    const small = [matrix('a', [60, 70], 1), matrix('b', [50, 90], 2)]
    const inputs = [...small]
    inputs.splice(place, 0, bulk())
    const file = await throughSink(await openInputs(inputs, { author: 'a test' }), recipe)
    const raw = readRaw(file)
    expect(raw.metadata.author).toBe('a test')
    const reopened = await openModel(file)
    expect(reopened.tensors.map(({ name }) => name)).toEqual(inputs.map(({ name }) => name))
    for (const { name, data, shape } of small) {
      const { parts, values } = storedOracle(name, data as Float32Array, shape, recipe)
      expectParts(raw, parts)
      expectSameBits((await reopened.read(name)).data as Float32Array, values)
    }
    expect(Buffer.compare(raw.arrays.get('bulk')!.bytes, bulk().data as Uint8Array)).toBe(0)
    const { bytes } = await compressModel(await openInputs(inputs, { author: 'a test' }), recipe)
    expect(Buffer.compare(file, bytes!)).toBe(0)
  })

  it('are written as they come, once they are more than that', async () => {
    const sink = new FileSink()
    const inputs = [bulk(40 << 20, 'one'), bulk(40 << 20, 'two'), matrix('a', [60, 70], 1)]
    const written: number[] = []
    const onProgress = () => written.push(sink.size)
    await compressModel(await openInputs(inputs), { ...recipe, sink, onProgress })
    expect(written[0]).toBe(0)
    expect(written[1]).toBe(80 << 20)
    expect(written[2]).toBeGreaterThan(80 << 20)
  })

  it('leave room for long metadata', async () => {
    const metadata = { 層: '層'.repeat(5000) }
    const file = await throughSink(await openInputs([matrix('a', [8, 9], 1), bulk()], metadata), recipe)
    expect((await openModel(file)).metadata).toEqual(metadata)
  })

  it('leave room for any header', async () => {
    const names = [
      'plain',
      '"quoted" \\ and more "',
      '層'.repeat(700),
      '\u0001\u001f'.repeat(300),
      '😀'.repeat(200),
      ''
    ]
    const models: Input[] = names.map((name, i) => matrix(name, [40, 50], i))
    models.push({ name: 'deep', shape: [40, ...new Array<number>(60).fill(1), 50], data: normals(2000, 9) })
    const metadata = { 層: '層'.repeat(5000), quoted: '"\\'.repeat(3000), control: '\u0001'.repeat(2000) }
    const recipes: Recipe[] = [
      { lowRank: { rank: 3 }, prune: { sparsity: 0.9 }, quantize: { format: 'uint4', group: 7, symmetric: false } },
      { lowRank: { rank: 3 }, quantize: { format: 'uint8', axis: 0, symmetric: false } },
      recipe,
      { prune: { sparsity: 0.9 } },
      { quantize: { format: 'bfloat16' } }
    ]
    for (const one of recipes) {
      const file = await throughSink(await openInputs([...models, bulk()], metadata), one)
      const reopened = await openModel(file)
      expect(reopened.metadata).toEqual(metadata)
      const { bytes } = await compressModel(await openInputs(models, metadata), one)
      const alone = await openModel(bytes!)
      for (const { name } of models) {
        expectSameBits(
          (await reopened.read(name)).data as Float32Array,
          (await alone.read(name)).data as Float32Array,
          name
        )
      }
    }
  })

  it('do not leave more room than the headers of many tensors need', async () => {
    const many = Array.from({ length: 1500 }, (_, i) => matrix(`model.layers.${i}.weight`, [4, 8], i))
    const file = await throughSink(await openInputs([...many, bulk()]), recipe)
    const { dataStart } = readRaw(file)
    const json = new TextDecoder().decode(file.subarray(8, dataStart)).trimEnd().length
    expect(dataStart).toBeLessThan(3 * json)
  })
})

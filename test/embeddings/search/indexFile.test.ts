import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FormatError } from '../../../src/core/errors.js'
import { decodeSafetensors } from '../../../src/files/safetensors.js'
import { encodeSafetensors } from '../../../src/files/safetensorsWriter.js'
import { fitCodec } from '../../../src/embeddings/codec/fit/fitCodec.js'
import type { Index } from '../../../src/embeddings/search/indexInterface.js'
import { createIndex, openIndex } from '../../../src/embeddings/search/createIndex.js'
import { encoder } from '../../../src/embeddings/search/encoder.js'
import type { IndexOptions } from '../../../src/embeddings/search/options.js'
import { expectSameBits } from '../../support/bits.js'
import { expectError } from '../../support/errors.js'
import { plainCodec, wholeVectors } from '../../support/indices.js'
import { seeded } from '../../support/random.js'

const folder = mkdtempSync(join(tmpdir(), 'index-'))
afterAll(() => rmSync(folder, { recursive: true }))

const CASES: readonly [string, IndexOptions, boolean][] = [
  ['codes alone', {}, false],
  ['ids', {}, true],
  ['originals', { originals: 'float16' }, true],
  ['lists and originals', { lists: 3, originals: 'float32', seed: 5 }, true]
]

function make(options: IndexOptions, withIds: boolean, rows = 150) {
  const index = createIndex(plainCodec(6, 'l2'), options)
  const vectors = wholeVectors(rows, 6, 1)
  index.add(vectors, withIds ? { ids: vectors.map((_, i) => 3 * i + 1) } : {})
  return index
}

describe.each(CASES)('a file with %s', (_, options, withIds) => {
  const index = make(options, withIds)
  const bytes = index.toBytes()
  const queries = wholeVectors(4, 6, 9)

  it('is opened from bytes and from a path, and is saved as the same bytes', () => {
    const path = join(folder, 'index.safetensors')
    index.save(path)
    expectSameBits(new Uint8Array(readFileSync(path)), bytes)
    for (const input of [bytes, bytes.slice().buffer, path, new Uint8Array([0, ...bytes]).subarray(1)]) {
      const again = openIndex(input)
      expect([again.size, again.lists, again.originals]).toEqual([150, index.lists, index.originals])
      expect(again.search(queries)).toEqual(index.search(queries))
      expectSameBits(again.toBytes(), bytes)
      expect(again.codec.toBytes()).toEqual(index.codec.toBytes())
    }
  })

  it('is opened from a Blob, as a promise', async () => {
    const again = await openIndex(new Blob([bytes]))
    expectSameBits(again.toBytes(), bytes)
    await expect(openIndex(new Blob([bytes.subarray(0, 100)]))).rejects.toThrow(FormatError)
  })

  it('goes on where it was', () => {
    const again = openIndex(bytes, { encoder })
    const other = openIndex(bytes, { encoder })
    for (const one of [again, other]) {
      expect(one.remove([1, 2, 3, 4, 7, 10])).toBeGreaterThan(2)
      one.add(wholeVectors(40, 6, 3))
    }
    expectSameBits(again.toBytes(), other.toBytes())
    expect(again.search(queries).counts[0]).toBe(10)
  })

  it('is refused where it is cut', () => {
    for (let length = 0; length < bytes.length; length += length < 600 ? 1 : 97) {
      expectError(() => openIndex(bytes.subarray(0, length)), FormatError)
    }
    const path = join(folder, 'cut.safetensors')
    writeFileSync(path, bytes.subarray(0, bytes.length - 5))
    expectError(() => openIndex(path), FormatError)
  })

  it('is refused, or the same, where a bit of the header is another', () => {
    const random = seeded(1)
    const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))
    for (let at = 0; at < headerEnd; at++) {
      const broken = bytes.slice()
      broken[at] ^= 1 << Math.floor(random() * 8)
      let opened
      try {
        opened = openIndex(broken)
      } catch (error) {
        expect(error, `byte ${at}`).toBeInstanceOf(FormatError)
        continue
      }
      expect(opened.size).toBe(150)
      expect(opened.search(queries, { rescore: false }).ids).toEqual(index.search(queries, { rescore: false }).ids)
    }
  })
})

describe('what else a file may not be', () => {
  const bytes = make({ lists: 3, originals: 'float32' }, true).toBytes()

  /** The file with its entry and its arrays changed. */
  function changed(
    entry: Record<string, unknown>,
    change: (tensors: ReturnType<typeof decodeSafetensors>['tensors']) => void = () => {}
  ): Uint8Array {
    const { metadata, tensors } = decodeSafetensors(bytes)
    change(tensors)
    const text = JSON.stringify({ ...(JSON.parse(metadata.tersor) as object), ...entry })
    return encodeSafetensors(tensors.values(), { tersor: text })
  }

  it('of another kind or version', () => {
    expectError(() => openIndex(changed({ version: 2 })), FormatError, 'version 2')
    expectError(() => openIndex(changed({ kind: 'codec' })), FormatError, '"codec"')
    expectError(() => openIndex(plainCodec(3, 'dot').toBytes()), FormatError, '"codec"')
    expect(openIndex(changed({})).size).toBe(150)
  })

  it('one whose entry does not fit', () => {
    for (const entry of [
      ...[{ rows: 149 }, { rows: -1 }, { rows: '150' }, { next: 3 }, { next: 2 ** 32 }, { next: 400 }],
      ...[
        { lists: 2 },
        { lists: 0 },
        { lists: 70000 },
        { seed: -1 },
        { originals: 'float16' },
        { originals: undefined }
      ]
    ]) {
      expectError(() => openIndex(changed(entry)), FormatError)
    }
  })

  it('one whose arrays do not fit', () => {
    const data = (name: string, set: (data: number[]) => void) =>
      changed({}, (tensors) => set(tensors.get(name)!.data as unknown as number[]))
    expectError(() => openIndex(data('ids', (d) => (d[3] = d[4]))), FormatError, 'twice')
    expectError(() => openIndex(data('ids', (d) => (d[3] = 4294967295))), FormatError, 'below')
    expectError(() => openIndex(data('lists', (d) => d[0]--)), FormatError, 'rows')
    expectError(() => openIndex(data('centroids', (d) => (d[0] = NaN))), FormatError, 'finite')
    for (const name of ['ids', 'lists', 'centroids', 'codes', 'originals', 'codec']) {
      expectError(() => openIndex(changed({}, (tensors) => tensors.delete(name))), FormatError)
    }
    expectError(
      () => openIndex(changed({}, (tensors) => tensors.set('more', { ...tensors.get('ids')!, name: 'more' }))),
      FormatError,
      'no array "more"'
    )
  })
})

describe.each([
  ['float32', Float32Array, NaN],
  ['float32', Float32Array, -Infinity],
  ['float16', Uint16Array, 0x7e00],
  ['float16', Uint16Array, 0xfc00]
] as const)('what is no number, %s', (format, type, value) => {
  const vectors = wholeVectors(70, 6, 1)
  /** The file with one number of an array changed. */
  const damaged = (index: Index, name: string, at: number): Uint8Array => {
    const { metadata, tensors } = decodeSafetensors(index.toBytes())
    const { data } = tensors.get(name)!
    new type(data.buffer, data.byteOffset, data.byteLength / type.BYTES_PER_ELEMENT)[at] = value
    return encodeSafetensors(tensors.values(), { tersor: metadata.tersor })
  }

  it('is refused among codes', () => {
    const index = createIndex(fitCodec(vectors, { method: format }))
    index.add(vectors)
    for (const at of [0, 5, 200]) {
      expectError(() => openIndex(damaged(index, 'codes', at)), FormatError, '"codes"', 'finite')
    }
  })

  it('is refused among originals', () => {
    const index = createIndex(plainCodec(6, 'l2'), { originals: format })
    index.add(vectors)
    for (const at of [0, 5, 6 * 70 - 1]) {
      expectError(() => openIndex(damaged(index, 'originals', at)), FormatError, '"originals"', 'finite')
    }
  })
})

it('a factor of int8 originals that is no number is refused', () => {
  const index = createIndex(plainCodec(6, 'l2'), { originals: 'int8' })
  index.add(wholeVectors(70, 6, 1))
  const { metadata, tensors } = decodeSafetensors(index.toBytes())
  const { data, shape } = tensors.get('originals')!
  const at = 69 * shape[1] + 6
  new DataView(data.buffer, data.byteOffset, data.byteLength).setFloat32(at, NaN, true)
  const bytes = encodeSafetensors(tensors.values(), { tersor: metadata.tersor })
  expectError(() => openIndex(bytes), FormatError, '"originals"', 'finite')
})

describe('writing', () => {
  it('is whole or not at all', () => {
    const index = make({}, false)
    const own = mkdtempSync(join(folder, 'own-'))
    const path = join(own, 'index')
    index.save(path)
    const before = readFileSync(path)
    expectError(() => index.save(own), Error, 'regular file')
    expect(() => index.save(join(own, 'missing', 'index'))).toThrow('ENOENT')
    symlinkSync(path, join(own, 'link'))
    index.add([[1, 1, 1, 1, 1, 1]])
    index.save(join(own, 'link'))
    expect(readFileSync(path).length).toBeGreaterThanOrEqual(before.length)
    expectSameBits(new Uint8Array(readFileSync(path)), index.toBytes())
    expect(readdirSync(own).sort()).toEqual(['index', 'link'])
    expect(existsSync(join(own, 'missing'))).toBe(false)
    expect(() => openIndex(join(own, 'none'))).toThrow('ENOENT')
    expectError(() => openIndex(own), Error, 'regular file')
  })
})

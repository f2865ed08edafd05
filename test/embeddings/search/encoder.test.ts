import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { fitCodec } from '../../../src/embeddings/codec/fit/fitCodec.js'
import { createIndex, openIndex } from '../../../src/embeddings/search/createIndex.js'
import { encoder } from '../../../src/embeddings/search/encoder.js'
import type { Index } from '../../../src/embeddings/search/indexInterface.js'
import type { IndexOptions } from '../../../src/embeddings/search/options.js'
import { expectSameBits } from '../../support/bits.js'
import { errorOf, expectError, wrong } from '../../support/errors.js'
import { wholeVectors } from '../../support/indices.js'

const DIMENSIONS = 8
const rows = wholeVectors(300, DIMENSIONS, 1)
const later = wholeVectors(40, DIMENSIONS, 2)
const queries = wholeVectors(3, DIMENSIONS, 3)
const folder = mkdtempSync(join(tmpdir(), 'tersor-encoder-'))
afterAll(() => rmSync(folder, { recursive: true }))

const METHODS = ['turbo', 'pq', 'opq', 'rabitq', 'int8', 'binary', 'float16'] as const
const codecOf = (method: (typeof METHODS)[number] = 'turbo') => fitCodec(rows, { method })

function indexOf(options: IndexOptions, codec = codecOf()): Index {
  const index = createIndex(codec, options)
  index.add(rows)
  return index
}

describe('an index that was opened for searching alone', () => {
  it.each(METHODS)('finds what it found, %s', (method) => {
    const index = indexOf({}, codecOf(method))
    const opened = openIndex(index.toBytes())
    expect(opened.search(queries, { k: 7 })).toEqual(index.search(queries, { k: 7 }))
    expect(opened.codec.toBytes()).toEqual(index.codec.toBytes())
  })

  it.each([{}, { lists: 4 }, { originals: 'float16' }, { lists: 4, originals: 'float16' }] as const)(
    'says how vectors are taken, %j',
    (options) => {
      const opened = openIndex(indexOf(options).toBytes())
      for (const [verb, call] of [
        ['add', () => opened.add(later)],
        ['encode', () => opened.codec.encode(later)],
        ['decode', () => opened.codec.decode({ data: new Uint8Array(8), shape: [1, 8] })]
      ] as const) {
        const error = errorOf(call)
        expect(error).toMatchObject({ code: 'no-encoder' })
        expect((error as Error).message).toMatch(`${verb}: the index was opened for searching alone; open it with`)
        expect((error as Error).message).toMatch('openIndex(input, { encoder })')
      }
      expect(opened.size).toBe(300)
    }
  )

  it('takes codes, unless they need lists', () => {
    const codec = codecOf()
    const codes = codec.encode(later)
    const plain = indexOf({})
    const opened = openIndex(plain.toBytes())
    expect([...opened.addCodes(codes)]).toEqual([...plain.addCodes(codes)])
    expectSameBits(opened.toBytes(), plain.toBytes())
    const listed = openIndex(indexOf({ lists: 4 }).toBytes())
    expect(errorOf(() => listed.addCodes(codes))).toMatchObject({ code: 'no-encoder' })
  })

  it('removes, and is saved again', () => {
    const index = indexOf({ lists: 4, originals: 'float16' })
    const opened = openIndex(index.toBytes())
    expect(opened.remove([3, 99])).toBe(2)
    index.remove([3, 99])
    expectSameBits(opened.toBytes(), index.toBytes())
  })
})

describe('an index that was opened with the encoder', () => {
  it.each([{}, { lists: 4 }, { originals: 'float16' }, { lists: 16, originals: 'float16' }] as const)(
    'goes on as if it had never been closed, from bytes, a path and a Blob: %j',
    async (options) => {
      const index = indexOf(options)
      const path = join(folder, 'index.safetensors')
      index.save(path)
      const bytes = index.toBytes()
      index.add(later)
      for (const opened of [
        openIndex(bytes, { encoder }),
        openIndex(path, { encoder }),
        await openIndex(new Blob([bytes]), { encoder })
      ]) {
        opened.add(later)
        expectSameBits(opened.toBytes(), index.toBytes())
        expect(opened.search(queries)).toEqual(index.search(queries))
        expect(opened.codec.encode(later)).toEqual(index.codec.encode(later))
      }
    }
  )

  it('makes lists that a file did not have yet', () => {
    const index = createIndex(codecOf(), { lists: 6 })
    index.add(later)
    const opened = openIndex(index.toBytes(), { encoder })
    for (const one of [index, opened]) one.add(rows)
    expectSameBits(opened.toBytes(), index.toBytes())
  })

  it('is refused with something else', () => {
    const bytes = indexOf({}).toBytes()
    for (const other of [null, true, 'encoder', {}, () => 1]) {
      expectError(
        () => openIndex(bytes, { encoder: wrong(other) }),
        TypeError,
        'openIndex: "encoder" expected the encoder'
      )
    }
    expectError(() => openIndex(bytes, wrong({ encode: encoder })), TypeError, 'unknown option "encode"')
  })
})

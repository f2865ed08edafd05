import { describe, expect, it } from 'vitest'
import { createIndex, openIndex } from '../../../src/embeddings/search/createIndex.js'
import { encoder } from '../../../src/embeddings/search/encoder.js'
import { PlainIndex } from '../../oracle/embeddings/search/search.js'
import { expectSameBits } from '../../support/bits.js'
import { expectError, wrong } from '../../support/errors.js'
import { expectHits, flat, hitsOf, METRICS, plainCodec, wholeVectors } from '../../support/indices.js'
import { index as pick, normals, seeded } from '../../support/random.js'

const DIMS = [1, 2, 3, 7, 8, 63, 64, 65, 100, 300, 384, 768, 1000, 1024, 1536, 3072, 4097]

describe('an index of vectors as they are', () => {
  it.each(DIMS)('finds what a plain search finds, %i dimensions', (dimensions) => {
    for (const metric of ['dot', 'l2'] as const) {
      const vectors = wholeVectors(70, dimensions, dimensions)
      const plain = new PlainIndex(metric)
      plain.add(vectors)
      const index = createIndex(plainCodec(dimensions, metric))
      index.add(vectors)
      const queries = wholeVectors(3, dimensions, 7)
      const results = index.search(queries, { k: 12 })
      expect(results.ids.shape).toEqual([3, 12])
      queries.forEach((query, row) => expectHits(hitsOf(results, row), plain.search(query, 12)))
    }
  })

  it.each(METRICS)('scores are what they say: %s', (metric) => {
    const dimensions = 37
    const data = normals(200 * dimensions, 3)
    const vectors = Array.from({ length: 200 }, (_, i) => data.subarray(i * dimensions, (i + 1) * dimensions))
    const plain = new PlainIndex(metric)
    plain.add(vectors)
    const index = createIndex(plainCodec(dimensions, metric))
    index.add({ data, shape: [200, dimensions] })
    const query = normals(dimensions, 4)
    expectHits(hitsOf(index.search(query)), plain.search(query, 10), 2e-5)
  })

  it('equal scores come by id, also where many are equal at the edge', () => {
    const index = createIndex(plainCodec(2, 'dot'))
    const ids = Array.from({ length: 3000 }, (_, i) => (i * 1237) % 3001)
    index.add(
      ids.map(() => [1, 1]),
      { ids }
    )
    const sorted = [...ids].sort((a, b) => a - b)
    for (const k of [1, 10, 1000, 3000]) {
      expect([...index.search([2, 3], { k }).ids.data]).toEqual(sorted.slice(0, k))
    }
  })

  it('is filled up where k is more than there is', () => {
    const index = createIndex(plainCodec(3, 'l2'))
    index.add([
      [1, 2, 3],
      [4, 5, 6]
    ])
    const { ids, scores, counts, rescored } = index.search(
      [
        [1, 2, 3],
        [4, 5, 6]
      ],
      { k: 4 }
    )
    expect([...ids.data]).toEqual([0, 1, 4294967295, 4294967295, 1, 0, 4294967295, 4294967295])
    expect([...scores.data]).toEqual([0, -27, -Infinity, -Infinity, 0, -27, -Infinity, -Infinity])
    expect([...counts]).toEqual([2, 2])
    expect([...rescored]).toEqual([0, 0])
  })

  it('may be empty, and have queries of none', () => {
    const index = createIndex(plainCodec(3, 'cosine'))
    expect(index.size).toBe(0)
    expect([...index.search([1, 2, 3], { k: 2 }).ids.data]).toEqual([4294967295, 4294967295])
    expect(index.add([])).toEqual(new Uint32Array(0))
    expect(index.remove([])).toBe(0)
    expect(index.remove([7])).toBe(0)
    expect(index.has(0)).toBe(false)
    index.add([[1, 0, 0]])
    expect(index.search({ data: new Float32Array(0), shape: [0, 3] }).ids.shape).toEqual([0, 10])
    const again = openIndex(createIndex(plainCodec(3, 'cosine')).toBytes(), { encoder })
    expect(again.size).toBe(0)
    expect([...again.add([[0, 1, 0]])]).toEqual([0])
  })

  it('a zero vector has the cosine 0', () => {
    const index = createIndex(plainCodec(2, 'cosine'))
    index.add([
      [-1, 0],
      [0, 0],
      [1, 1]
    ])
    const hits = hitsOf(index.search([3, 0]))
    expect(hits.map(({ id }) => id)).toEqual([2, 1, 0])
    expect(hits[1].score).toBe(0)
    expect([...index.search([0, 0], { k: 3 }).ids.data]).toEqual([0, 1, 2])
  })
})

describe('adding and removing', () => {
  it.each([1, 3, 8])('does what a plain map does, lists: %i', (lists) => {
    const dimensions = 5
    const random = seeded(lists)
    const plain = new PlainIndex('l2')
    const all = lists > 1 ? { probes: lists } : {}
    let index = createIndex(plainCodec(dimensions, 'l2'), { lists })
    for (let step = 0; step < 120; step++) {
      const vectors = wholeVectors(pick(random, 60), dimensions, step)
      const what = pick(random, 8)
      if (what < 4) {
        plain.add(vectors)
        index.add(vectors)
      } else if (what === 4) {
        const first = 10000 * (step + 1) + pick(random, 50)
        const ids = vectors.map((_, i) => first - i * 3)
        plain.add(vectors, ids)
        expect([...index.add(vectors, { ids })]).toEqual(ids)
      } else if (what < 7) {
        const all = [...plain.vectors.keys()]
        const ids = Array.from({ length: pick(random, 40) }, () => all[pick(random, all.length)] ?? 5)
        ids.push(4294967294)
        expect(index.remove(ids)).toBe(plain.remove(ids))
      } else {
        index = openIndex(index.toBytes(), { encoder })
      }
      expect(index.size).toBe(plain.vectors.size)
      const query = wholeVectors(1, dimensions, step + 1000)[0]
      const filter = step % 3 ? undefined : (id: number) => id % 2 === 0
      expectHits(hitsOf(index.search(query, { k: 15, filter, ...all })), plain.search(query, 15, filter))
    }
    for (const id of [...plain.vectors.keys()].slice(0, 50)) expect(index.has(id)).toBe(true)
    expect(index.remove([...plain.vectors.keys()])).toBe(plain.vectors.size)
    expect(index.size).toBe(0)
    index.add(wholeVectors(40, dimensions, 1))
    expect(index.search([0, 0, 0, 0, 0], { k: 50, ...all }).counts[0]).toBe(40)
  })

  it.each([1, 4])('in batches of any size gives the same bytes, lists: %i', (lists) => {
    const dimensions = 9
    const vectors = wholeVectors(500, dimensions, 1)
    const bytes = [1, 7, 32, 33, 499, 500].map((size) => {
      const index = createIndex(plainCodec(dimensions, 'cosine'), { lists, originals: 'float16' })
      for (let first = 0; first < 500; first += size) index.add(vectors.slice(first, first + size))
      return index.toBytes()
    })
    for (const other of bytes) expectSameBits(other, bytes[0])
  })

  it('leaves the bytes of one that never had what is removed from the end', () => {
    const make = () => createIndex(plainCodec(4, 'dot'))
    const vectors = wholeVectors(70, 4, 2)
    const index = make()
    index.add(vectors)
    index.add(wholeVectors(5, 4, 3), { ids: [100, 101, 102, 103, 104] })
    index.remove([104, 103, 102, 101, 100])
    const other = make()
    other.add(vectors, { ids: vectors.map((_, i) => i) })
    other.add([[1, 1, 1, 1]], { ids: [104] })
    other.remove(104)
    expectSameBits(index.toBytes(), other.toBytes())
  })

  it('numbers go on after the greatest id that there was', () => {
    const index = createIndex(plainCodec(1, 'dot'))
    expect([...index.add([[1], [2]])]).toEqual([0, 1])
    expect([...index.add([[3]], { ids: [9] })]).toEqual([9])
    expect([...index.add([[4]])]).toEqual([10])
    index.remove([10])
    expect([...openIndex(index.toBytes(), { encoder }).add([[5]])]).toEqual([11])
    index.add([[6]], { ids: [4294967294] })
    expectError(() => index.add([[7]]), RangeError, 'add: "ids" expected numbers up to 4294967294')
  })

  it('takes codes as they are', () => {
    const codec = plainCodec(6, 'cosine')
    const vectors = wholeVectors(40, 6, 4)
    const [a, b] = [createIndex(codec), createIndex(codec)]
    a.add(vectors)
    b.addCodes(codec.encode(flat(vectors.slice(0, 39), 6)))
    b.addCodes(codec.encode(vectors[39]))
    expectSameBits(a.toBytes(), b.toBytes())
    const broken = codec.encode(flat(vectors, 6))
    new DataView(broken.data.buffer).setFloat32(24 * 3, NaN, true)
    expectError(() => b.addCodes(broken), RangeError, 'addCodes: "codes"', 'row 3')
    expectError(() => b.addCodes(new Uint8Array(23)), RangeError, 'addCodes: "codes"', '24')
    const kept = createIndex(codec, { originals: 'float32' })
    expectError(() => kept.addCodes(codec.encode(vectors[0])), TypeError, 'originals', 'use add')
    expectSameBits(a.toBytes(), b.toBytes())
  })
})

describe('filters', () => {
  const index = createIndex(plainCodec(2, 'dot'))
  const plain = new PlainIndex('dot')
  const vectors = wholeVectors(2500, 2, 5)
  const ids = vectors.map((_, i) => 2 * i + 5)
  index.add(vectors, { ids })
  plain.add(vectors, ids)

  it('as functions are asked once for each row, whatever the number of queries', () => {
    const asked = new Map<number, number>()
    const filter = (id: number) => {
      asked.set(id, (asked.get(id) ?? 0) + 1)
      return id % 3 === 0
    }
    const queries = wholeVectors(5, 2, 6)
    const results = index.search(queries, { filter, k: 20 })
    queries.forEach((query, row) =>
      expectHits(
        hitsOf(results, row),
        plain.search(query, 20, (id) => id % 3 === 0)
      )
    )
    expect(asked.size).toBe(2500)
    expect(Math.max(...asked.values())).toBe(1)
  })

  it('as bits by id, which may be fewer than there are ids', () => {
    const bits = new Uint8Array(300)
    for (const id of [7, 9, 1001, 2399]) bits[id >> 3] |= 1 << (id & 7)
    const has = (id: number) => [7, 9, 1001, 2399].includes(id)
    expectHits(hitsOf(index.search([1, 2], { filter: bits })), plain.search([1, 2], 10, has))
    expect(index.search([1, 2], { filter: new Uint8Array(0) }).counts[0]).toBe(0)
  })

  it('answer at once: a promise would let all in', async () => {
    const filter = wrong(() => Promise.resolve(false))
    expectError(
      () => index.search([1, 2], { filter }),
      TypeError,
      'search: "filter" expected true or false, got a promise'
    )
    await expect(index.searchAsync([1, 2], { filter })).rejects.toThrow('searchAsync: "filter" expected true or false')
    expect(index.search([1, 2], { filter: wrong((id: number) => (id === 7 ? 1 : undefined)) }).counts[0]).toBe(1)
  })

  it('may not touch the index, and what they throw leaves it as it was', () => {
    const before = index.toBytes()
    for (const touch of [
      () => index.remove(5),
      () => index.add([[1, 1]]),
      () => index.search([1, 1]),
      () => index.toBytes()
    ]) {
      expectError(() => index.search([1, 1], { filter: () => (touch(), true) }), Error, 'in the middle of a search')
    }
    expectError(
      () =>
        index.search([1, 1], {
          filter: () => {
            throw new RangeError('own')
          }
        }),
      RangeError,
      'own'
    )
    expectSameBits(index.toBytes(), before)
    expect(index.search([1, 1], { filter: (id) => index.has(id) && index.size > 0 }).counts[0]).toBe(10)
  })
})

describe('what is refused', () => {
  const codec = plainCodec(3, 'cosine')
  const make = () => {
    const index = createIndex(codec, { originals: 'float32' })
    index.add(
      [
        [1, 2, 3],
        [3, 2, 1],
        [0, 0, 1]
      ],
      { ids: [4, 2, 9] }
    )
    return index
  }

  it('leaves the index unchanged', () => {
    const index = make()
    const before = index.toBytes()
    const bad: [() => unknown, new (...p: never[]) => Error, ...string[]][] = [
      [() => index.add([[1, 2]]), RangeError, 'add: "vectors"', '3', '2'],
      [
        () =>
          index.add([
            [1, 2, 3],
            [1, NaN, 3]
          ]),
        RangeError,
        'add: "vectors"',
        'NaN',
        'row 1'
      ],
      [
        () =>
          index.add(
            [
              [1, 2, 3],
              [1, 2, Infinity]
            ],
            { ids: [7, 8] }
          ),
        RangeError,
        'Infinity',
        'row 1'
      ],
      [() => index.add(flat([...wholeVectors(999, 3, 1), [NaN, 0, 0]], 3)), RangeError, 'row 999'],
      [() => index.add([[1, 2, 3]], { ids: [9] }), RangeError, 'add: "ids"', 'does not have', 'got 9'],
      [
        () =>
          index.add(
            [
              [1, 2, 3],
              [1, 2, 3]
            ],
            { ids: [7, 7] }
          ),
        RangeError,
        'add: "ids"',
        '7 twice'
      ],
      [() => index.add([[1, 2, 3]], { ids: [1, 2] }), RangeError, 'add: "ids" expected 1', 'got 2'],
      [() => index.add([[1, 2, 3]], { ids: [4294967295] }), RangeError, '4294967294', '4294967295 at 0'],
      [() => index.add([[1, 2, 3]], { ids: [1.5] }), RangeError, '1.5 at 0'],
      [() => index.add([[1, 2, 3]], { ids: [-1] }), RangeError, '-1 at 0'],
      [() => index.add([[1, 2, 3]], wrong({ ids: ['a'] })), TypeError, '"a" at 0', 'names'],
      [() => index.add([[1, 2, 3]], wrong({ ids: 3 })), TypeError, 'add: "ids"'],
      [() => index.add([[1, 2, 3]], wrong([5])), TypeError, 'unknown option "0"', 'ids'],
      [() => index.add([[1, 2, 3]], wrong({ id: [5] })), TypeError, 'unknown option "id"'],
      [() => index.remove([2, NaN]), RangeError, 'remove: "ids"', 'NaN at 1'],
      [() => index.remove(wrong('a')), TypeError, 'remove: "ids"'],
      [() => index.has(-1), RangeError, 'has: "id"'],
      [() => index.reserve(-1), RangeError, 'reserve: "rows"'],
      [() => index.search([1, 2]), RangeError, 'search: "queries"', '3', '2'],
      [() => index.search([1, 2, NaN]), RangeError, 'search: "queries"', 'NaN', 'row 0'],
      [() => index.search([1, 2, 3], { k: 0 }), RangeError, 'search: "k"', 'got 0'],
      [() => index.search([1, 2, 3], { k: 1.5 }), RangeError, 'search: "k"'],
      [() => index.search([1, 2, 3], wrong({ top: 3 })), TypeError, 'unknown option "top"', 'probes'],
      [() => index.search([1, 2, 3], { oversampling: 0.5 }), RangeError, '"oversampling"', '0.5'],
      [() => index.search([1, 2, 3], { oversampling: Infinity }), RangeError, '"oversampling"', 'rabitq'],
      [() => index.search([1, 2, 3], { rescore: false, oversampling: 2 }), RangeError, '"oversampling"', 'originals'],
      [() => index.search([1, 2, 3], { probes: 2 }), RangeError, '"probes"', 'lists'],
      [() => index.search([1, 2, 3], wrong({ filter: [1] })), TypeError, '"filter"'],
      [() => index.search([1, 2, 3], wrong({ rescore: 3 })), TypeError, '"rescore"'],
      [() => index.save(wrong(3)), TypeError, 'save: "path"', '3'],
      // As it was once called.
      [() => index.save(wrong(undefined)), TypeError, 'save: "path"', 'toBytes']
    ]
    for (const [run, type, ...parts] of bad) expectError(run, type, ...parts)
    expectSameBits(index.toBytes(), before)
    expect([...index.add([[1, 1, 1]])]).toEqual([10])
  })

  it('options of an index', () => {
    expectError(() => createIndex(wrong({})), TypeError, 'createIndex: "codec"')
    expectError(() => createIndex(codec, wrong({ list: 3 })), TypeError, 'unknown option "list"')
    expectError(() => createIndex(codec, wrong({ originals: 'f32' })), TypeError, '"originals"', 'float16')
    expectError(() => createIndex(codec, { lists: 0 }), RangeError, '"lists"')
    expectError(() => createIndex(codec, { seed: -1 }), RangeError, '"seed"')
    expectError(() => openIndex(wrong(3)), TypeError, 'openIndex: "input"')
  })
})

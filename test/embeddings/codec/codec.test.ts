import { describe, expect, it } from 'vitest'
import { partsOf } from '../../../src/embeddings/codec/codec.js'
import {
  createCodecFit,
  createIndex,
  fitCodec,
  openCodec,
  type Codec,
  type CodecOptions
} from '../../../src/embeddings/index.js'
import { gram } from '../../../src/index.js'
import { expectSameBits } from '../../support/bits.js'
import { expectError, wrong } from '../../support/errors.js'
import { normals } from '../../support/random.js'
import { rowsOf, slopedTable as tableOf, type Table } from '../../support/tables.js'

type Rows = Table<Float32Array<ArrayBuffer>>

const lengthOf = (x: ArrayLike<number>): number => Math.sqrt(Array.from(x).reduce((sum, y) => sum + y * y, 0))

const CODECS: Record<string, CodecOptions> = {
  default: {},
  'with centroids': { centroids: 7, bits: 3 },
  'with many centroids': { centroids: 260, bits: 1 },
  calibrated: { calibrate: true, bits: 4 },
  truncated: { truncate: 11, metric: 'dot' },
  'of components': { pca: 9, bits: 8 },
  'of components, for distances': { truncate: 20, pca: 9, bits: 8, metric: 'l2' },
  int8: { method: 'int8' },
  binary: { method: 'binary' },
  float16: { method: 'float16' },
  float32: { method: 'float32', metric: 'l2' },
  pq: { method: 'pq', bits: 4, subspaces: 6 }
}

describe.each(Object.entries(CODECS))('a codec, %s', (_, options) => {
  const rows = tableOf(400, 24, 3)
  const codec = fitCodec(rows, options)

  it('comes back from its bytes, and these are the same again', () => {
    const bytes = codec.toBytes()
    const back = openCodec(bytes)
    expectSameBits(back.toBytes(), bytes)
    const known = [
      'method',
      'metric',
      'bits',
      'dimensions',
      'centroids',
      'bytesPerVector',
      'tableBytes',
      'seed'
    ] as const
    for (const name of known) expect(back[name], name).toBe(codec[name])
    const codes = codec.encode(rows)
    expectSameBits(back.encode(rows).data, codes.data)
    expectSameBits(back.decode(codes).data, codec.decode(codes).data)
  })

  it('writes a row of so many bytes, whatever rows are beside it', () => {
    const { data, shape } = codec.encode(rows)
    expect(shape).toEqual([400, codec.bytesPerVector])
    for (const [from, end] of [
      [0, 1],
      [1, 4],
      [37, 70],
      [399, 400]
    ]) {
      const part = codec.encode(rowsOf(rows, from, end))
      expectSameBits(part.data, data.slice(from * codec.bytesPerVector, end * codec.bytesPerVector))
    }
    const one = codec.encode(rows.data.subarray(0, 24))
    expect(one.shape).toEqual([codec.bytesPerVector])
    expectSameBits(one.data, data.slice(0, codec.bytesPerVector))
    expect(codec.decode(one.data).shape).toEqual([24])
    expect(codec.encode({ data: new Float32Array(0), shape: [0, 24] }).shape).toEqual([0, codec.bytesPerVector])
    expect(codec.decode({ data: new Uint8Array(0), shape: [0, codec.bytesPerVector] }).shape).toEqual([0, 24])
  })

  it('takes nested arrays and f64, and the bits of 16-bit floats', () => {
    const few = rowsOf(rows, 0, 3)
    const expected = codec.encode(few).data
    const nested = [0, 1, 2].map((i) => Array.from(few.data.subarray(24 * i, 24 * i + 24)))
    expectSameBits(codec.encode(nested).data, expected)
    expectSameBits(codec.encode({ data: Float64Array.from(few.data), dims: [3, 24] }).data, expected)
    const ones = codec.encode({ data: new Uint16Array(24).fill(0x3c00), shape: [1, 24], dtype: 'float16' })
    expectSameBits(ones.data, codec.encode({ data: new Float32Array(24).fill(1), shape: [1, 24] }).data)
  })

  it('takes zero vectors, the same one twice and great or small numbers', () => {
    const data = new Float32Array(4 * 24)
    data.fill(1e-30, 24, 48)
    data.fill(1e12, 48, 72)
    data.fill(1e12, 72, 96)
    const codes = codec.encode({ data, shape: [4, 24] })
    const at = codec.bytesPerVector
    expectSameBits(codes.data.slice(2 * at, 3 * at), codes.data.slice(3 * at))
    if (codec.method !== 'float16') expect(codec.decode(codes).data.every(Number.isFinite)).toBe(true)
  })

  it('refuses what it cannot take', () => {
    const message = 'encode: "vectors" expected'
    expectError(() => codec.encode(new Float32Array(23)), RangeError, message, '24')
    const bad = rows.data.slice(0, 72)
    bad[24 + 5] = NaN
    expectError(() => codec.encode({ data: bad, shape: [3, 24] }), RangeError, message, 'NaN at row 1, column 5')
    const wide = Float64Array.from(bad)
    wide[29] = 1e300
    expectError(() => codec.encode({ data: wide, shape: [3, 24] }), RangeError, message, 'at row 1, column 5')
    expectError(() => codec.decode(wrong('codes')), TypeError, 'decode: "codes" expected')
    expectError(() => codec.decode(wrong(new Float32Array(codec.bytesPerVector))), TypeError, 'expected a Uint8Array')
    expectError(
      () => codec.decode(new Uint8Array(codec.bytesPerVector + 1)),
      RangeError,
      `rows of ${codec.bytesPerVector}`
    )
  })
})

describe('fitCodec', () => {
  const rows = tableOf(300, 16, 1)

  it('has turbo with 2 bits for the cosine as its default, and centroids by the number of rows', () => {
    const codec = fitCodec(rows)
    expect([codec.method, codec.bits, codec.metric, codec.centroids, codec.seed]).toEqual(['turbo', 2, 'cosine', 1, 0])
    expect(codec.bytesPerVector).toBe(4 + 8)
    expect(codec.tableBytes).toBe(64)
    expect(fitCodec(tableOf(1023, 3, 1)).centroids).toBe(1)
    expect(fitCodec(tableOf(1024, 3, 1)).centroids).toBe(16)
    const many = fitCodec(tableOf(4096, 3, 1))
    expect([many.centroids, many.bytesPerVector, many.tableBytes]).toEqual([64, 1 + 8 + 1, 12 + 64 * 3 + 64 * 4])
    expect(fitCodec(rows, { centroids: 257 }).bytesPerVector).toBe(4 + 8 + 2)
  })

  it('takes the widest rows that fit into so many bytes', () => {
    const choose = (bytes: number, options: CodecOptions = {}): number[] => {
      const codec = fitCodec(rows, { bytes, ...options })
      expect(codec.bytesPerVector).toBeLessThanOrEqual(bytes)
      return [codec.bits, codec.bytesPerVector]
    }
    expect(choose(10)).toEqual([1, 10])
    expect(choose(13)).toEqual([2, 12])
    expect(choose(16)).toEqual([4, 16])
    expect(choose(16, { centroids: 4 })).toEqual([3, 15])
    expect(choose(1000)).toEqual([8, 24])
    expect(choose(9, { truncate: 8 })).toEqual([1, 9])
    expect(choose(40, { method: 'float16' })).toEqual([16, 32])
    for (const method of ['pq', 'opq', 'residual'] as const) {
      expectError(
        () => choose(9, { method, subspaces: 17 }),
        RangeError,
        '"subspaces" expected a whole number',
        'got 17'
      )
    }
    expectError(() => choose(9, { method: 'residual', stages: wrong('4') }), TypeError, '"stages" expected', 'got "4"')
    expectError(() => choose(9), RangeError, 'fitCodec: "bytes" expected at least 10', 'turbo', 'got 9')
    expectError(() => choose(31, { method: 'float16' }), RangeError, '"bytes" expected at least 32', 'float16')
  })

  it('says what is wrong with its options', () => {
    const fit = (options: object) => () => fitCodec(rows, wrong(options))
    expectError(fit({ bits: 5 }), RangeError, 'fitCodec: "bits" expected 1, 2, 3, 4 or 8 for method turbo, got 5')
    expectError(fit({ bits: '4' }), TypeError, 'fitCodec: "bits" expected 1, 2, 3, 4 or 8 for method turbo, got "4"')
    expectError(fit({ bits: 4, method: 'binary' }), RangeError, '"bits" expected 1 for method binary, got 4')
    expectError(fit({ bits: 4, bytes: 9 }), TypeError, 'expected at most one of bits, bytes, got both')
    expectError(fit({ bit: 4 }), TypeError, 'fitCodec: unknown option "bit"; expected method, bits, bytes', 'centroids')
    expectError(fit({ subspaces: 4 }), TypeError, 'unknown option "subspaces"')
    expectError(fit({ method: 'zip' }), TypeError, 'fitCodec: "method" expected one of turbo, ', 'got "zip"')
    expectError(fit({ metric: 'hamming' }), TypeError, '"metric" expected one of cosine, dot, l2')
    expectError(fit({ seed: -1 }), RangeError, '"seed" expected a whole number')
    expectError(fit({ truncate: 17 }), RangeError, '"truncate" expected a whole number from 1 to 16, got 17')
    expectError(fit({ truncate: 8, pca: 9 }), RangeError, '"pca" expected a whole number from 1 to 8, got 9')
    expectError(
      fit({ centroids: 301 }),
      RangeError,
      '"centroids" expected at most 300, the rows there are to fit on, got 301'
    )
    expectError(fit({ centroids: 0 }), RangeError, '"centroids" expected a whole number from 1')
    expectError(fit({ calibrate: 1 }), TypeError, '"calibrate" expected true or false, got 1')
    expectError(() => fitCodec(rows, wrong(null)), TypeError, 'fitCodec: "options" expected an object')
    expectError(() => fitCodec(wrong('rows')), TypeError, 'fitCodec: "sample" expected')
    expectError(() => fitCodec(new Float32Array(16)), RangeError, 'fitCodec: "sample" expected vectors of shape')
    expectError(
      () => fitCodec({ data: new Float32Array(9000), shape: [1, 9000] }),
      RangeError,
      'at most 8192 dimensions'
    )
    const bad = rows.data.slice()
    bad[17] = Infinity
    expectError(() => fitCodec({ data: bad, shape: rows.shape }), RangeError, '"sample" expected', 'row 1, column 1')
    bad[17] = 1e20
    const great = { data: bad, shape: rows.shape }
    expectError(() => fitCodec(great, { metric: 'dot' }), RangeError, 'below 2^48', 'row 1, column 1', 'rescale')
    expect(fitCodec(great).dimensions).toBe(16)
  })

  it('projects on principal components', () => {
    const wide = tableOf(500, 30, 4)
    const codec = fitCodec(wide, { method: 'float32', metric: 'l2', pca: 6 })
    const { v, mean } = gram(wide, { center: true }).pca({ rank: 6, dtype: 'float64' })
    const back = codec.decode(codec.encode(wide)).data
    for (let i = 0; i < 500; i++) {
      const row = wide.data.subarray(30 * i, 30 * i + 30)
      const expected = Array.from(mean.data)
      for (let k = 0; k < 6; k++) {
        let at = 0
        for (let j = 0; j < 30; j++) at += (row[j] - mean.data[j]) * v.data[6 * j + k]
        for (let j = 0; j < 30; j++) expected[j] += at * v.data[6 * j + k]
      }
      expected.forEach((x, j) => expect(Math.abs(back[30 * i + j] - x)).toBeLessThan(1e-5))
    }
  })

  it('writes the same bytes of a row beside one that is beyond sums of squares, or small', () => {
    const codec = fitCodec(rows, { method: 'float32', pca: 5 })
    const few = rows.data.slice(0, 3 * 16)
    few.fill(1e30, 32, 48)
    const alone = codec.encode(rowsOf(rows, 0, 2)).data
    expectSameBits(codec.encode({ data: few, shape: [3, 16] }).data.slice(0, alone.length), alone)
    const small = { data: rows.data.slice(0, 32).map((x) => x * 1e-38), shape: [2, 16] }
    const [back, expected] = [codec.decode(codec.encode(small)).data, codec.decode(alone.subarray(0, 20)).data]
    expected.forEach((x, j) => expect(Math.abs(back[j] - x)).toBeLessThan(1e-5))
  })

  it('scores distances of rows far from zero as those of rows about it', async () => {
    const apart = tableOf(600, 32, 8)
    const far = { data: apart.data.map((x) => x + 1000), shape: apart.shape }
    const queries = [tableOf(20, 32, 9)].map(({ data, shape }) => ({ data, shape, far: data.map((x) => x + 1000) }))[0]
    const found = async (options: CodecOptions, table: Rows, data: Float32Array): Promise<Uint32Array> => {
      const index = createIndex(fitCodec(table, { metric: 'l2', ...options }))
      index.add(table)
      return (await index.search({ data, shape: [20, 32] }, { k: 10 })).ids.data
    }
    for (const options of [
      { bits: 4 },
      { bits: 8, centroids: 4 },
      { bits: 8, calibrate: true },
      { method: 'int8', axis: 'dimension' },
      { method: 'residual', stages: 4 }
    ] as const) {
      const [near, away] = [await found(options, apart, queries.data), await found(options, far, queries.far)]
      let same = 0
      for (let q = 0; q < 20; q++) {
        const ids = new Set(near.subarray(10 * q, 10 * q + 10))
        for (const id of away.subarray(10 * q, 10 * q + 10)) if (ids.has(id)) same++
      }
      expect(same, JSON.stringify(options)).toBeGreaterThan('stages' in options ? 140 : 180)
    }
  })

  it('calibrated, decodes rows of another kind to rows of about their length', () => {
    // Nearly all rows on one side, few on the other: their levels are nearly at right angles to them.
    const skewed = { data: normals(300 * 16, 3).map((x) => -0.1 * Math.abs(x) - 1 + (Math.abs(x) > 2.5 ? 8 : 0)) }
    for (const bits of [1, 2, 3, 4, 8]) {
      const table = { ...skewed, shape: [300, 16] as [number, number] }
      const codec = fitCodec(table, { bits, metric: 'dot', calibrate: true })
      const back = codec.decode(codec.encode(table)).data
      for (let i = 0; i < 300; i++) {
        const [row, got] = [table.data, back].map((data) => data.subarray(16 * i, 16 * i + 16))
        expect(lengthOf(got), `${bits} bits, row ${i}`).toBeLessThan(3 * lengthOf(row) + 8)
      }
    }
  })

  it('brings rows to unit length for the cosine, also after truncation', () => {
    for (const options of [{}, { truncate: 5 }, { pca: 5 }]) {
      const codec = fitCodec(rows, { method: 'float32', ...options })
      const back = codec.decode(codec.encode(rows)).data
      for (let i = 0; i < 300; i++) expect(lengthOf(back.subarray(16 * i, 16 * i + 16))).toBeCloseTo(1, 5)
    }
  })

  it('takes all dimensions, and constant rows', () => {
    for (const d of [1, 2, 3, 4097, 8192]) {
      const table = tableOf(20, d, d)
      for (const bits of [1, 3, 8]) {
        const codec = fitCodec(table, { bits })
        expect(codec.decode(codec.encode(table)).data.every(Number.isFinite)).toBe(true)
      }
    }
    const same = { data: new Float32Array(40 * 6).fill(0.5), shape: [40, 6] }
    for (const options of [{}, { centroids: 4 }, { calibrate: true }, { metric: 'l2' }] as const) {
      const codec = fitCodec(same, options)
      const back = codec.decode(codec.encode(same)).data
      const expected = 'metric' in options ? 0.5 : 1 / Math.sqrt(6)
      back.forEach((x) => expect(x).toBeCloseTo(expected, 5))
    }
  })
})

describe('createCodecFit', () => {
  const rows = tableOf(3000, 12, 5)
  const OPTIONS: Record<string, CodecOptions> = {
    plain: { centroids: 5 },
    'of components': { pca: 4, bits: 3, centroids: 1 },
    'of few rows kept': { keep: 200, seed: 9 },
    'for distances': { metric: 'l2', pca: 5, truncate: 10, keep: 700 }
  }

  it.each(Object.entries(OPTIONS))('gives the same bytes in parts, in any order, %s', (_, options) => {
    const expected = fitCodec(rows, options).toBytes()
    const stream = createCodecFit(12, options)
    for (const [from, end] of [
      [0, 1],
      [1, 1000],
      [1000, 1100],
      [1100, 3000]
    ]) {
      stream.add(rowsOf(rows, from, end))
    }
    expect(stream.count).toBe(3000)
    expectSameBits(stream.fit().toBytes(), expected)
    expectSameBits(stream.fit().toBytes(), expected)
    const part = (from: number, end: number) =>
      createCodecFit(12, { ...options, first: from }).add(rowsOf(rows, from, end))
    const parts = [part(2000, 3000), part(0, 700), part(700, 2000)]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2]
    ]) {
      const whole = createCodecFit(12, options)
      for (const i of order) whole.merge(parts[i])
      expectSameBits(whole.fit().toBytes(), expected)
    }
  })

  it('takes very many rows one at a time', () => {
    const count = 140_000
    const table = { data: normals(count, 4), shape: [count, 1] }
    const options = { keep: count, metric: 'l2', bits: 1, centroids: 1 } as const
    const stream = createCodecFit(1, options)
    for (let i = 0; i < count; i++) stream.add(table.data.subarray(i, i + 1))
    expectSameBits(createCodecFit(1, options).merge(stream).fit().toBytes(), fitCodec(table, options).toBytes())
  })

  it('keeps a sample of the whole table', () => {
    const codec = fitCodec(rows, { keep: 500, metric: 'dot', centroids: 1 })
    const { mean } = partsOf('test', codec).quantizer.tables
    const exact = gram(rows).mean().data
    const spread = mean.data.map((x, j) => x - exact[j])
    expect(lengthOf(spread)).toBeLessThan(1)
    expect(lengthOf(spread)).toBeGreaterThan(0)
  })

  it('says what is wrong', () => {
    const make = (options: object = {}) => createCodecFit(12, options)
    expectError(() => make().fit(), RangeError, 'fit: expected at least one row')
    expectError(() => createCodecFit(wrong('a')), TypeError, 'createCodecFit: "dimensions"')
    expectError(() => createCodecFit(8193), RangeError, '"dimensions" expected a whole number from 1 to 8192')
    expectError(() => make({ firts: 1 }), TypeError, 'createCodecFit: unknown option "firts"')
    expectError(() => make({ bits: 7 }), RangeError, 'createCodecFit: "bits" expected 1, 2, 3, 4 or 8')
    expectError(() => make().add(new Float32Array(13)), RangeError, 'add: "vectors" expected')
    const some = make().add(rowsOf(rows, 0, 10))
    expectError(() => some.merge(wrong({})), TypeError, 'merge: "other" expected a CodecFit')
    expectError(() => some.merge(make({ seed: 1, first: 10 })), RangeError, 'same dimension and options')
    expectError(() => some.merge(some), RangeError, 'rows 0 to 9, which are here already', '"first"')
    const gap = make({ first: 12 })
      .add(rowsOf(rows, 12, 20))
      .merge(some)
    expectError(() => gap.fit(), RangeError, 'fit: expected all rows from 0 on, but rows 10 to 11 are missing')
    expect(gap.merge(make({ first: 10 }).add(rowsOf(rows, 10, 12))).fit().bits).toBe(2)
    const bad = rows.data.slice(0, 24)
    bad[13] = NaN
    expectError(() => some.add({ data: bad, shape: [2, 12] }), RangeError, 'row 1, column 1')
    expect(some.count).toBe(10)
  })
})

it('partsOf names what it wants', () => {
  const fake = { bits: 2 } as Codec
  expectError(() => partsOf('createIndex', fake), TypeError, 'createIndex: "codec" expected a Codec')
})

import { describe, expect, it } from 'vitest'
import { evaluate, fitCodec, type Progress } from '../../../src/embeddings/index.js'
import { sampleRows } from '../../../src/embeddings/measure/heldOut.js'
import { plainRecall, plainRow, plainScore, type PlainMetric } from '../../oracle/embeddings/measure/recall.js'
import { expectError, wrong } from '../../support/errors.js'
import { normals } from '../../support/random.js'
import { rowsOf, type Table } from '../../support/tables.js'

const DIM = 24
const table: Table<Float32Array<ArrayBuffer>> = { data: normals(400 * DIM, 1), shape: [400, DIM] }
const flat = { data: table.data, dimensions: DIM }
const codecFor = (metric: PlainMetric, bits = 2) => fitCodec(table, { metric, bits })
const METRICS: PlainMetric[] = ['cosine', 'dot', 'l2']

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length

/** Codes as vectors again: what an exact codec's scores are about. */
const decodedOf = (codec: ReturnType<typeof codecFor>) => ({
  data: codec.decode(codec.encode(table)).data,
  dimensions: DIM
})

describe('evaluate', () => {
  // float16's score is that of the decoded row, so that a plain search says what is found.
  it.each(METRICS)('counts as a plain loop does, of queries that are given, %s', (metric) => {
    const codec = fitCodec(table, { metric, method: 'float16' })
    const coarse = { data: table.data.map((x) => Math.round(2 * x) / 2), shape: [400, DIM] }
    const queries = { data: normals(60 * DIM, 9), shape: [60, DIM] }
    const plain = (within: number): number =>
      mean(
        Array.from({ length: 60 }, (_, q) =>
          plainRecall(
            metric,
            { ...flat, data: coarse.data },
            { data: codec.decode(codec.encode(coarse)).data, dimensions: DIM },
            plainRow({ data: queries.data, dimensions: DIM }, q),
            5,
            within
          )
        )
      )
    const result = evaluate(codec, coarse, { queries, k: 5, oversampling: 2 })
    expect(result.recall).toBeCloseTo(plain(5), 1)
    expect(result.rescored).toBeCloseTo(plain(10), 2)
    expect(result).toMatchObject({ k: 5, oversampling: 2, queries: 60, rows: 400, confidence: 0.95 })
  })

  it.each(METRICS)('of rows that are drawn each is searched for among the others, %s', (metric) => {
    const codec = fitCodec(table, { metric, method: 'float32' })
    const result = evaluate(codec, table, { queries: 50, seed: 3 })
    // A row among the rows would be its own neighbour, and with float32 nothing is lost.
    expect(result).toMatchObject({ recall: 1, rescored: 1, queries: 50, relativeMse: expect.closeTo(0, 10) })
    expect(result.bias.slope).toBeCloseTo(1, 5)
    expect(result.recallInterval[1]).toBe(1)
    expect(result.recallInterval[0]).toBeGreaterThan(0.9)
  })

  it('tells each step, and ends with the reason of its signal', () => {
    const codec = codecFor('cosine')
    const seen: Progress[] = []
    evaluate(codec, table, { onProgress: (progress) => seen.push(progress) })
    // One shard, one batch; the search, distortion, bias.
    expect(seen).toEqual(Array.from({ length: 5 }, (_, i) => ({ done: i + 1, total: 5 })))
    for (let last = 1; last <= 5; last++) {
      const controller = new AbortController()
      const steps: number[] = []
      const onProgress = ({ done }: Progress): void => {
        steps.push(done)
        if (done === last) controller.abort(new Error('enough'))
      }
      const options = { signal: controller.signal, onProgress }
      expectError(() => evaluate(codec, table, options), Error, 'enough')
      expect(steps).toHaveLength(last)
    }
    expectError(() => evaluate(codec, table, { signal: AbortSignal.abort(new Error('early')) }), Error, 'early')
    expectError(() => evaluate(codec, table, { signal: wrong('x') }), TypeError, 'evaluate: "signal"')
    expectError(() => evaluate(codec, table, { onProgress: wrong('x') }), TypeError, 'evaluate: "onProgress"')
  })

  it('finds by codes what a plain search of all rows by the same codes finds', () => {
    const codec = codecFor('cosine')
    const own = Array.from(sampleRows(400, 200, 5))
    const decoded = decodedOf(codec)
    const plain = own.map((row) => plainRecall('cosine', flat, decoded, plainRow(flat, row), 10, 10, row))
    const { recall, queries } = evaluate(codec, table, { seed: 5 })
    expect(queries).toBe(200)
    // Scores of codes differ from those of decoded rows by a factor for each row, which recall gains by.
    expect(Math.abs(recall - mean(plain))).toBeLessThan(0.06)
  })

  it.each(METRICS)('measures distortion and bias as a plain loop does, %s', (metric) => {
    const codec = codecFor(metric, 4)
    const decoded = decodedOf(codec)
    let [lost, all] = [0, 0]
    for (let row = 0; row < 400; row++) {
      const x = plainRow(flat, row)
      const length = metric === 'cosine' ? Math.sqrt(x.reduce((sum, value) => sum + value * value, 0)) : 1
      const y = plainRow(decoded, row)
      x.forEach((value, j) => {
        lost += (value / length - y[j]!) ** 2
        all += (value / length) ** 2
      })
    }
    const { mse, relativeMse, bias } = evaluate(codec, table)
    expect(mse / (lost / table.data.length)).toBeCloseTo(1, 5)
    expect(relativeMse / (lost / all)).toBeCloseTo(1, 5)
    const scale = Math.abs(plainScore(metric, plainRow(flat, 0), plainRow(flat, 1))) + 1
    expect(Math.abs(bias.mean)).toBeLessThan(0.05 * scale)
    expect(bias.slope).toBeGreaterThan(0.9)
    expect(bias.slope).toBeLessThan(1.1)
    expect(bias.deviation).toBeGreaterThan(0)
  })

  it('counts bytes with those of the tables', () => {
    const codec = codecFor('cosine')
    const { bytesPerVector, tableBytes, totalBytes, ratio } = evaluate(codec, table, { queries: 10 })
    expect([bytesPerVector, tableBytes]).toEqual([codec.bytesPerVector, codec.tableBytes])
    expect(totalBytes).toBe(400 * bytesPerVector + tableBytes)
    expect(ratio).toBe((4 * 400 * DIM) / totalBytes)
  })

  it('is the same again but for the speeds, and other for another seed', () => {
    const codec = codecFor('cosine')
    const strip = (seed: number): object => ({
      ...evaluate(codec, table, { seed, queries: 60 }),
      encodePerSecond: 0,
      queriesPerSecond: 0
    })
    expect(strip(1)).toEqual(strip(1))
    expect(strip(1)).not.toEqual(strip(2))
    const { encodePerSecond, queriesPerSecond } = evaluate(codec, table)
    expect(encodePerSecond).toBeGreaterThan(0)
    expect(queriesPerSecond).toBeGreaterThan(0)
  })

  it('tells how many queries are tied at the edge', () => {
    const twins = { data: new Float32Array(40 * DIM).fill(1), shape: [40, DIM] }
    const { tied, recall } = evaluate(fitCodec(twins, { method: 'float32' }), twins, { queries: 20 })
    expect([tied, recall]).toEqual([20, 1])
  })

  it('takes fewer rows than neighbours, and two rows', () => {
    const few = rowsOf(table, 0, 6)
    const { recall, rescored } = evaluate(fitCodec(few, { bits: 4 }), few)
    expect([recall, rescored]).toEqual([1, 1])
    expect(evaluate(fitCodec(few, { bits: 4 }), rowsOf(table, 0, 2)).recall).toBe(1)
  })

  it('refuses what does not fit, by name', () => {
    const codec = codecFor('cosine')
    expectError(
      () => evaluate(wrong({}), table),
      TypeError,
      'evaluate: "codec" expected what fitCodec or openCodec gives'
    )
    expectError(
      () => evaluate(codec, { data: normals(46, 1), shape: [2, 23] }),
      RangeError,
      'evaluate: "vectors" expected vectors of dimension 24, got 23'
    )
    expectError(
      () => evaluate(codec, table, { queries: { data: normals(46, 1), shape: [2, 23] } }),
      RangeError,
      'evaluate: "queries" expected vectors of dimension 24'
    )
    expectError(() => evaluate(codec, rowsOf(table, 0, 1)), RangeError, 'evaluate: "vectors" expected at least two')
    expectError(
      () => evaluate(codec, table, { queries: 401 }),
      RangeError,
      'evaluate: "queries" expected a whole number from 1 to 400'
    )
    expectError(
      () => evaluate(codec, table, wrong({ query: 1 })),
      TypeError,
      'evaluate: unknown option "query"; expected queries, k'
    )
    expectError(() => evaluate(codec, table, { k: 0 }), RangeError, 'evaluate: "k" expected a whole number from 1')
    const bad = { data: table.data.slice(), shape: table.shape }
    bad.data[3 * DIM + 5] = NaN
    expectError(() => evaluate(codec, bad), RangeError, 'evaluate: "vectors" expected finite numbers, got NaN', 'row 3')
    expectError(
      () => evaluate(codec, table, { queries: bad }),
      RangeError,
      'evaluate: "queries" expected finite numbers'
    )
  })
})

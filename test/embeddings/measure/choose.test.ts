import { describe, expect, it } from 'vitest'
import {
  chooseCodec,
  createIndex,
  paretoPlot,
  type ChooseOptions,
  type Progress
} from '../../../src/embeddings/index.js'
import { candidatesFor, nameOf } from '../../../src/embeddings/measure/candidates.js'
import { expectError, wrong } from '../../support/errors.js'
import { normals } from '../../support/random.js'
import { rowsOf, type Table } from '../../support/tables.js'

const DIM = 48
const table: Table<Float32Array<ArrayBuffer>> = { data: normals(1500 * DIM, 1), shape: [1500, DIM] }
const quick: ChooseOptions = { methods: ['turbo', 'int8', 'binary', 'float16', 'float32'] }

describe('chooseCodec', () => {
  it('returns the cheapest that holds a recall by the lower end of its interval', () => {
    const choice = chooseCodec(table, { recall: 0.8, oversampling: 1, ...quick })
    expect(choice.interval[0]).toBeGreaterThanOrEqual(0.8)
    const held = choice.table.filter(({ interval }) => interval[0] >= 0.8)
    expect(Math.min(...held.map(({ totalBytes }) => totalBytes))).toBe(choice.totalBytes)
    const chosen = choice.table.filter((row) => row.chosen)
    expect(chosen).toHaveLength(1)
    expect(chosen[0]).toMatchObject({
      recall: choice.recall,
      bytesPerVector: choice.codec.bytesPerVector,
      ...choice.settings
    })
    expect(choice.totalBytes).toBe(1500 * choice.codec.bytesPerVector + choice.codec.tableBytes)
    expect(choice.ratio).toBe((4 * 1500 * DIM) / choice.totalBytes)
  })

  it('finds what a search by its codec finds', () => {
    const choice = chooseCodec(table, { recall: 0.8, oversampling: 1, ...quick })
    const index = createIndex(choice.codec)
    const exact = createIndex(chooseCodec(table, { recall: 1, methods: ['float32'] }).codec)
    for (const each of [index, exact]) each.add(table)
    const queries = { data: normals(200 * DIM, 3), shape: [200, DIM] }
    const [found, truth] = [index, exact].map((each) => each.search(queries, { k: 10 }).ids.data)
    let hits = 0
    for (let q = 0; q < 200; q++) {
      const wanted = new Set(truth!.subarray(10 * q, 10 * q + 10))
      for (const id of found!.subarray(10 * q, 10 * q + 10)) if (wanted.has(id)) hits++
    }
    expect(Math.abs(hits / 2000 - choice.recall)).toBeLessThan(0.04)
  })

  it('tells each candidate, and ends with the reason of its signal', () => {
    const seen: Progress[] = []
    const options: ChooseOptions = { recall: 0.8, oversampling: 1, ...quick }
    const told = chooseCodec(table, { ...options, onProgress: (progress) => seen.push(progress) })
    expect(told.table).toEqual(chooseCodec(table, options).table)
    const { total } = seen[0]!
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => ({ done: i + 1, total })))
    const controller = new AbortController()
    const steps: number[] = []
    const onProgress = ({ done }: Progress): void => {
      steps.push(done)
      if (done === 2) controller.abort(new Error('enough'))
    }
    const { signal } = controller
    expectError(() => chooseCodec(table, { ...options, signal, onProgress }), Error, 'enough')
    expect(steps).toEqual([1, 2])
    expectError(() => chooseCodec(table, { ...options, signal }), Error, 'enough')
    expectError(() => chooseCodec(table, { ...options, signal: wrong({}) }), TypeError, 'chooseCodec: "signal"')
    expectError(() => chooseCodec(table, { ...options, onProgress: wrong(1) }), TypeError, 'chooseCodec: "onProgress"')
  })

  it.each([12, 20, 30])('returns the best of at most %i bytes a vector', (bytesPerVector) => {
    const choice = chooseCodec(table, { bytesPerVector, oversampling: 1, ...quick })
    expect(choice.codec.bytesPerVector).toBeLessThanOrEqual(bytesPerVector)
    expect(choice.table.every((row) => row.bytesPerVector <= bytesPerVector)).toBe(true)
    expect(choice.recall).toBe(
      Math.max(...choice.table.filter(({ queries }) => queries === 300).map(({ recall }) => recall))
    )
  })

  it('counts tables in the bytes of all', () => {
    const choice = chooseCodec(table, { totalBytes: 40_000, ...quick })
    expect(choice.table.every(({ totalBytes }) => totalBytes <= 40_000)).toBe(true)
    // The same table standing for more rows: fewer bytes are left to each.
    const larger = chooseCodec(table, { totalBytes: 40_000, rows: 3000, ...quick })
    expect(larger.codec.bytesPerVector).toBeLessThan(choice.codec.bytesPerVector)
  })

  it('marks what nothing smaller reaches, and its table is a plot', () => {
    const { table: rows } = chooseCodec(table, { recall: 0.95, oversampling: 1, ...quick })
    const best = rows.filter((row) => row.best)
    for (let i = 1; i < best.length; i++) expect(best[i]!.recall).toBeGreaterThan(best[i - 1]!.recall)
    expect(paretoPlot(rows, { target: 0.95 })).toContain('class="chosen"')
  })

  it.each(['dot', 'l2'] as const)('takes other metrics: %s', (metric) => {
    const { codec, interval } = chooseCodec(table, { recall: 0.8, metric, ...quick })
    expect(codec.metric).toBe(metric)
    expect(interval[0]).toBeGreaterThanOrEqual(0.8)
  })

  it('takes trained code books where they fit best', () => {
    const choice = chooseCodec(table, { bytesPerVector: 6, methods: ['pq', 'turbo'], oversampling: 1 })
    expect(choice.bytesPerVector).toBeLessThanOrEqual(6)
    expect(choice.codec.method).toBe('pq')
  })

  it('keeps float32 where nothing else holds the recall', () => {
    expect(chooseCodec(table, { recall: 1, oversampling: 1, methods: ['turbo', 'float32'] }).codec.method).toBe(
      'float32'
    )
  })

  it('refuses what nothing reaches, with the best', () => {
    expectError(
      () => chooseCodec(table, { recall: 0.99, methods: ['binary'], oversampling: 1 }),
      RangeError,
      /chooseCodec: "recall" expected at most 0\.\d{4}, got 0\.99; the best is binary.*: 0\.\d{4}, from 0\.\d{4} to 0\.\d{4}/
    )
    expectError(
      () => chooseCodec(table, { bytesPerVector: 4, methods: ['int8'] }),
      RangeError,
      /chooseCodec: "bytesPerVector" expected at least 56, which int8 takes, got 4/
    )
  })

  it('says what is the least that any of its methods takes', () => {
    const few = rowsOf(table, 0, 200)
    expectError(
      () => chooseCodec(few, { bytesPerVector: 0.5 }),
      RangeError,
      `chooseCodec: "bytesPerVector" expected at least ${DIM / 8}, which binary takes, got 0.5`
    )
    // One number of float16 is smaller than a bit and its factors.
    const single = { data: few.data.slice(0, 200), shape: [200, 1] }
    expectError(
      () => chooseCodec(single, { bytesPerVector: 1.5, methods: ['turbo', 'float16'], metric: 'l2' }),
      RangeError,
      'expected at least 2, which float16 takes'
    )
    expectError(
      () => chooseCodec(single, { totalBytes: 300, methods: ['turbo', 'float16'], metric: 'l2' }),
      RangeError,
      'expected at least 400, which float16 takes'
    )
  })

  it.each([{ recall: 0.9 }, { bytesPerVector: 8 }, { totalBytes: 4000 }])(
    'refuses methods that the vectors are too few for: %o',
    (goal) => {
      expectError(
        () => chooseCodec(rowsOf(table, 0, 200), { ...goal, methods: ['pq', 'residual'] }),
        RangeError,
        `chooseCodec: "methods" expected one that 160 vectors of ${DIM} numbers are enough for, got pq, residual`,
        '1024 vectors of 8 numbers'
      )
    }
  )

  it('refuses what it cannot use, by name', () => {
    for (const oversampling of [null, {}, [], '3']) {
      expectError(
        () => chooseCodec(table, { recall: 0.9, oversampling: wrong(oversampling) }),
        TypeError,
        'chooseCodec: "oversampling" expected a number or a list of them, got'
      )
    }
    expectError(
      () => chooseCodec(table, wrong({})),
      TypeError,
      'expected one of recall, bytesPerVector, totalBytes, got none of them'
    )
    expectError(() => chooseCodec(table, { recall: 0.9, totalBytes: 5 }), TypeError, 'got recall and totalBytes')
    expectError(
      () => chooseCodec(table, { recall: 1.5 }),
      RangeError,
      'chooseCodec: "recall" expected a number in [0, 1], got 1.5'
    )
    expectError(
      () => chooseCodec(table, { recall: 0.9, methods: wrong(['zip']) }),
      TypeError,
      '"methods" expected one of turbo'
    )
    expectError(() => chooseCodec(table, { recall: 0.9, methods: [] }), TypeError, '"methods" expected a list of turbo')
    expectError(
      () => chooseCodec(table, { recall: 0.9, oversampling: 0.5 }),
      RangeError,
      '"oversampling" expected a number in [1, 100]'
    )
    expectError(() => chooseCodec(table, { recall: 0.9, rows: 3 }), RangeError, '"rows" expected a whole number')
    expectError(() => chooseCodec(table, wrong({ recal: 0.9 })), TypeError, 'chooseCodec: unknown option "recal"')
    expectError(
      () => chooseCodec(rowsOf(table, 0, 19), { recall: 0.9 }),
      RangeError,
      'chooseCodec: "vectors" expected at least 20, got 19'
    )
    const bad = { data: table.data.slice(), shape: table.shape }
    bad.data[7 * DIM] = Infinity
    expectError(
      () => chooseCodec(bad, { recall: 0.9 }),
      RangeError,
      'chooseCodec: "vectors" expected finite numbers, got Infinity',
      'row 7'
    )
  })
})

describe('the candidates', () => {
  it('are the smallest first, all within what is allowed, each once', () => {
    const list = candidatesFor(384, 20_000, ['turbo', 'osq', 'binary', 'pq', 'residual', 'float32'], 100)
    expect(list.map(({ codeBytes }) => codeBytes)).toEqual(list.map(({ codeBytes }) => codeBytes).sort((a, b) => a - b))
    expect(Math.max(...list.map(({ codeBytes }) => codeBytes))).toBeLessThanOrEqual(100)
    const names = list.map(({ settings }) => nameOf(settings))
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(
      expect.arrayContaining(['turbo, 1 bit, 256 centroids', 'binary, rotated', 'pq, 48 sub-spaces'])
    )
  })

  it('are fewer for few rows and small vectors', () => {
    expect(candidatesFor(3, 20, ['turbo', 'pq'], Infinity).map(({ settings }) => nameOf(settings))).toEqual(
      [1, 2, 3, 4, 8].map((bits) => `turbo, ${bits} bit${bits > 1 ? 's' : ''}`)
    )
  })
})

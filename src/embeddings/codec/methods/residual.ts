import { DEPTH } from '../../../../assembly/linalg/constants.js'
import { gemmPacked } from '../../../linalg/gemm.js'
import { checkInteger } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import { sizeOf } from '../../../core/tensor.js'
import { fitCodebooks, loadCodebooks, refineCodebooks, type Split } from '../codebooks.js'
import { kmeans, loadCentroids, nearest } from '../kmeans.js'
import type { RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, MethodKind, Metric, Quantizer, Sample, Tables } from '../quantizer.js'
import { meanOf } from './centered.js'
import { checkTables, readParameter, readTable } from './parts.js'
import { checkCentroids, isCount, putTable } from './pq.js'

export interface ResidualOptions {
  bits?: number
  /** bytes of codes, each a codeword of all dimensions; default 4 */
  stages?: number
  /** bytes of codes of what the stages leave, each a centroid of its own part of the dimensions; default one for 8 dimensions; 0: none */
  subspaces?: number
  /** candidates that encoding keeps of each row from stage to stage, 1 to 64: slower, and nearer; default 1 */
  beam?: number
}

/** What a residual quantiser is, but for its tables. */
interface Shape {
  readonly d: number
  readonly metric: Metric
  readonly stages: number
  readonly subspaces: number
  readonly beam: number
}

/** Codewords of a stage. */
const K = 256
const STAGES = 4
const MOST_STAGES = 256
/** Of the bytes that are asked for, at most so many are stages where there can be sub-spaces. */
const USUAL_STAGES = 8
const ITERATIONS = 10
const PART_ITERATIONS = 15
/** Rows that are fitted to at most. */
const MOST_ROWS = 32768
/** Bytes of a squared length, the greater one first: what they stand for is a sum of two tables' entries, as of any codes. */
const LENGTH = 2
/** Bytes of candidates that are worked on at a time. */
const TILE_BYTES = 1 << 20

/**
 * Residual quantisation: a row as a sum of codewords, one of each stage, which is fitted to what the stages before have left, and of product codes of what
 * they all leave.
 *
 * Method: Y. Chen, T. Guan and C. Wang, Sensors 10, 2010; encoded by a beam search (A. Babenko and V. Lempitsky, CVPR 2014). The last two bytes of a row
 * are the squared length of its sum, which cosine and l2 need; for dot there are none. For l2 rows are taken off their mean first, so that these lengths
 * are short.
 */
export const residual: MethodKind<ResidualOptions> = {
  method: 'residual',
  options: ['stages', 'subspaces', 'beam'],
  bits: [8],
  usual: 8,
  choices: ({ metric, dimensions }, options) => {
    const { stages, subspaces } = options
    if (stages !== undefined) checkInteger('fitCodec', 'stages', stages, 1, MOST_STAGES)
    if (subspaces !== undefined) checkInteger('fitCodec', 'subspaces', subspaces, 0, dimensions)
    const choice = (s: number, m: number): { options: ResidualOptions; bytes: number } => ({
      options: { ...options, bits: 8, stages: s, subspaces: m },
      bytes: layoutOf({ metric, stages: s, subspaces: m }).codeBytes
    })
    const least = (stages ?? 1) + (subspaces ?? 0)
    const most = (stages ?? (subspaces === undefined ? USUAL_STAGES : MOST_STAGES)) + (subspaces ?? dimensions)
    const choices = []
    for (let codes = most; codes >= least; codes--) {
      const s = stages ?? (subspaces === undefined ? Math.min(codes, USUAL_STAGES) : codes - subspaces)
      choices.push(choice(s, codes - s))
    }
    return choices
  },
  fit: (engine, sample, options) => {
    const { dimensions: d, metric } = sample
    const stages = checkInteger('fitCodec', 'stages', options.stages ?? STAGES, 1, MOST_STAGES)
    const subspaces = checkInteger('fitCodec', 'subspaces', options.subspaces ?? Math.ceil(d / 8), 0, d)
    const beam = checkInteger('fitCodec', 'beam', options.beam ?? 1, 1, 64)
    checkCentroids(sample.count, K, 'give more rows')
    const shape = { d, metric, stages, subspaces, beam }
    return residualQuantizer(shape, fitTables(engine, sample, shape))
  },
  open: (d, metric, parameters, tables) => {
    const stages = readParameter('residual', parameters, 'stages', `1 to ${MOST_STAGES}`, isCount(MOST_STAGES))
    const isPart = (value: unknown): value is number => value === 0 || isCount(d)(value)
    const subspaces = readParameter('residual', parameters, 'subspaces', `0 to ${d}`, isPart)
    const beam = readParameter('residual', parameters, 'beam', '1 to 64', isCount(64))
    const mean: Tables = metric === 'l2' ? { mean: readTable('residual', tables, 'mean', d) } : {}
    const codebooks: Tables = subspaces > 0 ? { codebooks: readTable('residual', tables, 'codebooks', K * d) } : {}
    checkTables('residual', tables, [...Object.keys({ ...mean, ...codebooks }), 'codewords', 'squares'])
    const shape = { d, metric, stages, subspaces, beam }
    return residualQuantizer(shape, {
      ...mean,
      codewords: readTable('residual', tables, 'codewords', stages, K, d),
      ...codebooks,
      squares: readTable('residual', tables, 'squares', LENGTH, K)
    })
  }
}

function layoutOf({ metric, stages, subspaces }: Pick<Shape, 'metric' | 'stages' | 'subspaces'>): RowLayout {
  const count = stages + subspaces + (metric === 'dot' ? 0 : LENGTH)
  return { scan: 'lookup', bits: 8, count, codeBytes: count, factors: 0, centroidBytes: 0 }
}

function splitOf({ d, subspaces }: Shape): Split {
  return { dimensions: d, subspaces, bits: 8 }
}

/**
 * mean: (d), for l2 alone; codewords: (stages, 256, d), k-means of what the stages before have left of the rows; codebooks: of the parts of what all have
 * left; squares: (2, 256), what the bytes of a squared length stand for, up to twice the greatest of the rows.
 */
function fitTables(engine: Engine, sample: Sample, shape: Shape): Tables {
  const { rows, count, metric, seed } = sample
  const { d, stages, subspaces } = shape
  const mean = metric === 'l2' ? meanOf(engine, sample) : undefined
  return frame(engine, (memory, kernels) => {
    const few = Math.min(count, MOST_ROWS)
    const left = memory.alloc(4 * few * d)
    const sourceOf = (r: number): Pointer => rows + 4 * d * Math.floor((r * count) / few)
    for (let r = 0; r < few; r++) memory.f32(left + 4 * d * r, d).set(memory.f32(sourceOf(r), d))
    const origin = mean && putTable(engine, { mean: { data: mean, shape: [d] } }, 'mean')
    if (origin) kernels.shiftRowsF32(left, left, origin, few, d, -1)
    const codewords = memory.alloc(4 * stages * K * d)
    const numbers = memory.alloc(2 * few)
    for (let stage = 0; stage < stages; stage++) {
      const to = codewords + 4 * stage * K * d
      kmeans(engine, to, left, few, d, K, { seed, iterations: ITERATIONS, stream: stage })
      frame(engine, () => nearest(engine, numbers, left, few, loadCentroids(engine, to, K, d)))
      kernels.subtractByNumberF32(left, few, d, numbers, to)
    }
    const codebooks = memory.alloc(4 * K * d)
    const rebuilt = memory.alloc(4 * few * d)
    memory.f32(rebuilt, few * d).fill(0)
    if (subspaces > 0) {
      fitCodebooks(engine, codebooks, left, few, splitOf(shape), { seed, iterations: PART_ITERATIONS })
      refineCodebooks(engine, rebuilt, codebooks, left, few, splitOf(shape))
    }
    for (let r = 0; r < few; r++) {
      const row = memory.f32(sourceOf(r), d)
      const rest = memory.f32(left + 4 * d * r, d)
      const parts = memory.f32(rebuilt + 4 * d * r, d)
      for (let j = 0; j < d; j++) rest[j] = row[j]! - (mean ? mean[j]! : 0) - rest[j]! + parts[j]!
    }
    const lengths = memory.alloc(4 * few)
    kernels.rowSquaresF32(lengths, left, few, d)
    const unit = memory.f32(lengths, few).reduce((most, x) => Math.max(most, x), 0) / 32768
    const squares = Float32Array.from({ length: LENGTH * K }, (_, i) => unit * (i < K ? K * i : i - K))
    const copy = (pointer: Pointer, ...shape: number[]): Tables[string] => ({
      data: memory.f32(pointer, sizeOf(shape)).slice(),
      shape
    })
    return {
      ...(mean && { mean: { data: mean, shape: [d] } }),
      codewords: copy(codewords, stages, K, d),
      ...(subspaces > 0 && { codebooks: copy(codebooks, K * d) }),
      squares: { data: squares, shape: [LENGTH, K] }
    }
  })
}

function residualQuantizer(shape: Shape, tables: Tables): Quantizer {
  const { d, metric, stages, subspaces, beam } = shape
  return {
    method: 'residual',
    dimensions: d,
    metric,
    layout: layoutOf(shape),
    centroids: 0,
    parameters: { stages, subspaces, beam },
    tables,
    load: (engine) => load(engine, tables, shape)
  }
}

function load(engine: Engine, tables: Tables, shape: Shape): LoadedQuantizer {
  const { d, metric, stages, subspaces, beam } = shape
  const { memory, kernels } = engine
  const length = layoutOf(shape).codeBytes
  const coded = stages + subspaces
  const origin = tables.mean ? putTable(engine, tables, 'mean') : 0
  const squares = putTable(engine, tables, 'squares')
  const unit = tables.squares!.data[K + 1]!
  const codewords = putTable(engine, tables, 'codewords')
  const parts = subspaces > 0 ? loadCodebooks(engine, putTable(engine, tables, 'codebooks'), splitOf(shape)) : undefined
  const bookBytes = 4 * K * d
  const panels = memory.alloc(stages * bookBytes)
  const halves = memory.alloc(4 * stages * K)
  for (let stage = 0; stage < stages; stage++) {
    const book = codewords + stage * bookBytes
    for (let p = 0; p < d; p += DEPTH) {
      kernels.packAlongF32(panels + stage * bookBytes + 4 * p * K, book + 4 * p, K, 8, Math.min(DEPTH, d - p), d)
    }
  }
  const words = memory.f32(codewords, stages * K * d)
  memory.f32(halves, stages * K).forEach((_, i, all) => {
    let sum = 0
    for (let j = i * d; j < (i + 1) * d; j++) sum += words[j]! * words[j]!
    all[i] = -sum / 2
  })

  const sumUp = (rows: Pointer, codes: Pointer, count: number): void => {
    if (count === 0) return
    for (let stage = 0; stage < stages; stage++) {
      const book = codewords + stage * bookBytes
      kernels.lookUpRowsF32(rows, d, codes + stage, length, count, d, book, 0, K - 1, stage > 0 ? 1 : 0)
    }
    parts?.decode(rows, codes + stages, count, { step: length, add: true })
  }
  return {
    encode: (codes, rows, count) => {
      if (origin) kernels.shiftRowsF32(rows, rows, origin, count, d, -1)
      const step = Math.max(1, Math.floor(TILE_BYTES / (4 * beam * (d + K))))
      for (let at = 0; at < count; at += step) {
        encodeTile(codes + at * length, rows + 4 * d * at, Math.min(step, count - at))
      }
    },
    decode: (rows, codes, count) => {
      sumUp(rows, codes, count)
      if (origin) kernels.shiftRowsF32(rows, rows, origin, count, d, 1)
    },
    query: (row) => {
      if (origin) kernels.shiftRowsF32(row, row, origin, 1, d, -1)
      const table = memory.alloc(4 * length * K)
      const pairs = metric === 'cosine' ? memory.alloc(8 * length * K) : 0
      frame(engine, () => {
        const work = memory.alloc(kernels.multiplyWork(0, 2))
        for (let stage = 0; stage < stages; stage++) {
          const book = panels + stage * bookBytes
          gemmPacked(kernels.multiplyPackedF32, {
            c: table + 4 * stage * K,
            ldc: K,
            a: row,
            lda: d,
            panels: book,
            m: 1,
            n: K,
            k: d,
            write: 'set',
            work
          })
        }
      })
      parts?.fill(table + 4 * stages * K, row, false)
      const rest = { base: 0, multiplier: 0, bound: 0, terms: 0, exact: true }
      if (metric === 'cosine') {
        kernels.pairF32(pairs, table, 0, coded * K)
        kernels.pairF32(pairs + 8 * coded * K, 0, squares, LENGTH * K)
        return { data: pairs, step: 1, constant: 0, unit: true, ...rest }
      }
      if (metric === 'dot') return { data: table, step: 1, constant: 0, ...rest }
      // -|q - x|^2 = 2 (<q, x> - |x|^2 / 2) - |q|^2
      const last = memory.f32(table + 4 * coded * K, LENGTH * K)
      memory.f32(squares, LENGTH * K).forEach((square, i) => (last[i] = -square / 2))
      let square = 0
      for (const x of memory.f32(row, d)) square += x * x
      return { data: table, step: 2, constant: -square, ...rest }
    }
  }

  function encodeTile(codes: Pointer, rows: Pointer, count: number): void {
    frame(engine, () => {
      const many = count * beam
      // Of two stages in turn: what is left of candidates, their codes and costs.
      const sides = [0, 1].map(() => ({
        left: memory.alloc(4 * many * d),
        codes: memory.alloc(many * stages),
        costs: memory.alloc(4 * many)
      })) as [Side, Side]
      const products = memory.alloc(4 * many * K)
      const kept = memory.alloc(4 * beam)
      const work = memory.alloc(kernels.multiplyWork(0, 2))
      // What a row's own square adds to all costs does not matter.
      memory.f32(sides[1].costs, count).fill(0)
      let before: Side = { ...sides[1], left: rows }
      let parents = 1
      for (let stage = 0; stage < stages; stage++) {
        const after = sides[stage & 1]!
        const book = stage * bookBytes
        const height = count * parents
        gemmPacked(kernels.multiplyPackedF32, {
          c: products,
          ldc: K,
          a: before.left,
          lda: d,
          panels: panels + book,
          m: height,
          n: K,
          k: d,
          write: 'set',
          work
        })
        kernels.beamStepF32(
          ...([after.codes, after.left, after.costs, before.codes, before.left, before.costs] as const),
          ...([
            products,
            halves + 4 * stage * K,
            codewords + book,
            count,
            parents,
            beam,
            d,
            stage,
            stages,
            kept
          ] as const)
        )
        before = after
        parents = beam
      }
      const out = memory.u8(codes, count * length)
      for (let r = 0; r < count; r++) {
        out.set(memory.u8(before.codes + r * beam * stages, stages), r * length)
      }
      parts?.encode(codes + stages, before.left, count, { stride: beam * d, step: length })
      if (coded < length) storeSquares(codes, count)
    })
  }

  /** The squared length of the sum, behind each row's codes, in units. */
  function storeSquares(codes: Pointer, count: number): void {
    frame(engine, () => {
      const rows = memory.alloc(4 * count * d)
      sumUp(rows, codes, count)
      const own = memory.alloc(4 * count)
      kernels.rowSquaresF32(own, rows, count, d)
      const out = memory.u8(codes, count * length)
      memory.f32(own, count).forEach((square, r) => {
        const units = unit > 0 ? Math.min(Math.floor(square / unit + 0.5), 65535) : 0
        out[r * length + coded] = units >> 8
        out[r * length + coded + 1] = units & 255
      })
    })
  }
}

interface Side {
  readonly left: Pointer
  readonly codes: Pointer
  readonly costs: Pointer
}

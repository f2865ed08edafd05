import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { blockParts, STEP_BYTES, STEP_FLOATS, STEP_PLANES } from './blocks.js'
import { BLOCK_ROWS, type RowLayout } from './layout.js'
import { finishScores, scanGrid, scanHalves, scanNibbles, scanSigns, scanThrees } from './kernelCalls.js'
import type { FineTables, Query, QueryData } from './query.js'

/** Bytes of codes that are scanned before their scores are finished: the caches still hold scores and factors then. */
const PASS_BYTES = 65536

const align = (n: number, unit: number): number => Math.ceil(n / unit) * unit

/** Sums of a block's codes, as the scan kernels leave them: whole numbers or floats. */
function scanRaw(
  engine: Engine,
  layout: RowLayout,
  query: Query,
  raw: Pointer,
  blocks: Pointer,
  count: number
): 'whole' | 'floats' {
  const { scan, bits, codeBytes } = layout
  const { bytes: stride, step } = blockParts(layout)
  const { kernels, memory } = engine
  const call = { sums: raw, blocks, stride, count, query: query.data }
  const { exact, squared = false } = query
  switch (scan) {
    case 'tables':
      if (bits === 3) scanThrees(engine, call, { groups: Math.ceil(layout.count / 8), exact })
      else scanNibbles(engine, call, { columns: align(codeBytes, 2), exact })
      return 'whole'
    case 'signs':
      scanSigns(engine, call, codeBytes)
      return 'whole'
    case 'bytes':
      frame(engine, () => {
        scanGrid(engine, call, { step, bits, scratch: memory.alloc(128 * Math.ceil(layout.count / STEP_PLANES)) })
      })
      return 'floats'
    case 'half':
      scanHalves(engine, call, { step, squared })
      return 'floats'
    case 'float':
      kernels.scanFloats(raw, blocks, stride, count, query.data, step, squared ? 1 : 0)
      return 'floats'
    case 'lookup':
      if (query.unit) {
        frame(engine, () => {
          kernels.scanLookupUnit(raw, blocks, stride, count, query.data, codeBytes, memory.alloc(8192))
        })
      } else kernels.scanLookup(raw, blocks, stride, count, query.data, codeBytes)
      return 'floats'
  }
}

/**
 * Scores of all rows of `count` blocks, lanes without a row included: f32 [32 count], the higher the better. score =
 * ((((step raw + base) scale + bias) + third multiplier) + constant) + terms[centroid], in f32; the third takes part
 * where it is an offset.
 */
export function scanBlocks(
  engine: Engine,
  layout: RowLayout,
  query: Query,
  scores: Pointer,
  blocks: Pointer,
  count: number
): void {
  const { bytes: stride } = blockParts(layout)
  const pass = Math.max(1, Math.floor(PASS_BYTES / stride))
  for (let done = 0; done < count; done += pass) {
    const some = Math.min(pass, count - done)
    const block = blocks + stride * done
    const to = scores + 128 * done
    const kind = scanRaw(engine, layout, query, to, block, some)
    finish(engine, layout, query, to, block, some, kind)
  }
}

/** Raw sums to scores. */
function finish(
  engine: Engine,
  layout: RowLayout,
  { step, base, multiplier, constant, terms }: Query,
  scores: Pointer,
  blocks: Pointer,
  count: number,
  kind: 'whole' | 'floats'
): void {
  const { bytes: stride, factors, centroid } = blockParts(layout)
  const used = layout.factors === 3 && layout.third === 'error' ? 2 : layout.factors
  finishScores(engine, {
    ...{ scores, factors: blocks + factors, stride, count, whole: kind === 'whole', used },
    ...{ step, base, multiplier, constant }
  })
  if (terms && layout.centroidBytes) {
    engine.kernels.addTerms(scores, blocks + centroid, stride, count, layout.centroidBytes, terms)
  }
}

/**
 * The same by the query's fine tables, at less than half the speed, for the few rows that a scan has found.
 * Tables have a sixteenth of the rounding and no averages. An uneven query gets back what its weights were rounded by.
 */
export function scoreFinely(
  engine: Engine,
  layout: RowLayout,
  query: Query,
  { high, low, factor, offset }: FineTables,
  scores: Pointer,
  blocks: Pointer,
  count: number
): void {
  frame(engine, (memory, kernels) => {
    const rows = BLOCK_ROWS * count
    const digits = memory.alloc(4 * rows)
    const kind = scanRaw(engine, layout, { ...query, data: high, exact: true }, scores, blocks, count)
    scanRaw(engine, layout, { ...query, data: low, exact: true }, digits, blocks, count)
    if (kind === 'whole') kernels.joinDigits(scores, scores, digits, rows, factor, offset)
    else kernels.addScaledF32(scores, digits, rows, factor, offset)
    finish(engine, layout, query, scores, blocks, count, 'floats')
  })
}

/** Copies the first `bytes` bytes of a query to a fresh place, zeros behind them. */
function padded(engine: Engine, from: Pointer, bytes: number, length: number): Pointer {
  const to = engine.memory.alloc(length)
  engine.kernels.copyPadded(to, from, bytes, length)
  return to
}

/** What averages add to a group of four tables, in steps of an entry. Each adds half a step, times its weight. */
const ROUNDED = [0, 1.5, 1.5, 2, 2]
/** The same for eight coordinates of three bits, in the order 0, 4, 1, 5, 2, 6, 3, 7. */
const ROUNDED_THREE = [0, 1.5, 2, 3.5, 4, 4, 4, 4, 4]

function roundingBias(tables: number, sizes: readonly number[]): number {
  const group = sizes.length - 1
  return sizes[group]! * Math.floor(tables / group) + sizes[tables % group]!
}

/** Steps of a table, and of a fine one. */
const STEPS = 255
const STEPS_FINE = 4095

/**
 * Averaged tables and fine ones, by a builder of (tables, result, bytes to the tables of low digits).
 * Averaged, a group's sum is a quarter of its entries' sum; of the fine ones it is that sum.
 */
function averaged(
  { memory }: Engine,
  bytes: number,
  bias: number,
  build: (data: Pointer, result: Pointer, below: number) => void
): QueryData {
  const data = memory.alloc(bytes)
  const result = memory.alloc(16)
  build(data, result, 0)
  const [step, base] = memory.f64(result, 2) as unknown as [number, number]
  return {
    data,
    step: 4 * step,
    base: base - bias * step,
    exact: false,
    fine: () => {
      const high = memory.alloc(2 * bytes)
      build(high, result, bytes)
      return { high, low: high + bytes, factor: STEPS / (4 * STEPS_FINE), offset: bias / 4 }
    }
  }
}

/**
 * Tables for codes of 1 to 4 bits: step raw + base is the sum of q[i] levels[code i].
 * q: f32 (d), as rotated and already divided by a calibration; levels: f32 (2^bits), in any order.
 * Error: at most `step` for each four nibbles of codes; usual is a sixth of it times the root of the nibbles' number.
 */
export function scalarTables(engine: Engine, q: Pointer, d: number, bits: number, levels: Pointer): QueryData {
  const { kernels } = engine
  // Two columns are four nibbles; three bits take eight coordinates at a time.
  const length = align(d, bits === 1 ? 16 : bits === 4 ? 4 : 8)
  const tables = bits === 1 ? length / 4 : bits === 2 ? length / 2 : length
  const used = Math.ceil(d / (bits === 1 ? 4 : bits === 2 ? 2 : 1))
  const bias = roundingBias(used, bits === 3 ? ROUNDED_THREE : ROUNDED)
  const row = padded(engine, q, 4 * d, 4 * length)
  return averaged(engine, 16 * tables, bias, (data, result, below) => {
    kernels.buildScalarTables(data, result, row, levels, length, bits, below)
  })
}

/**
 * Tables for sub-spaces of 4 bits, of f32 (m, 16): step raw + base is the sum of tables[i][code i]. Error: as
 * scalarTables.
 */
export function pqTables4(engine: Engine, tables: Pointer, m: number): QueryData {
  const { kernels } = engine
  const length = align(m, 4)
  return averaged(engine, 16 * length, roundingBias(m, ROUNDED), (data, result, below) => {
    kernels.clearBytes(data, below ? 32 * length : 16 * length)
    kernels.buildSubspaceTables(data, result, tables, m, below)
  })
}

/**
 * A query for codes of 5 to 8 bits: step raw + base is the sum of q[i] (value i + offset). q: f32 (d). The value is the
 * unsigned code, for 8 bits the signed byte. A uniform grid of B bits has the offset -(2^B - 1) / 2, and .5 for 8 bits.
 * Error: half the coordinates are rounded to max |q| / 254, the others to 1 / 256 of that; finely, to 1 / 254 of
 * either.
 */
export function byteQuery(
  engine: Engine,
  q: Pointer,
  d: number,
  bits: number,
  { offset = 0, uneven = false }: { offset?: number; uneven?: boolean } = {}
): QueryData {
  const { kernels, memory } = engine
  const length = align(d, bits === 8 ? STEP_BYTES : STEP_PLANES)
  const build = (row: Pointer, rest: Pointer): { data: Pointer; step: number; base: number } => {
    const data = memory.alloc(4 * length)
    const result = memory.alloc(16)
    kernels.buildByteQuery(data, result, rest, row, length, bits)
    const [step, base] = memory.f64(result, 2) as unknown as [number, number]
    return { data, step, base }
  }
  let sum = 0
  if (offset) for (const x of memory.f32(q, d)) sum += x
  const row = padded(engine, q, 4 * d, 4 * length)
  const { data, step, base } = build(row, 0)
  const query = { data, step, base: base + offset * sum, exact: false, uneven }
  if (step === 0) return query
  const fine = (): FineTables => {
    const rest = memory.alloc(4 * length)
    const high = build(row, rest)
    const low = build(rest, 0)
    // Below 8 bits a base makes up for what is rounded off, which is all there now.
    const offset = bits === 8 ? low.base : low.base - high.base
    return { high: high.data, low: low.data, factor: low.step / step, offset: offset / step }
  }
  return { ...query, fine }
}

/** A query's own row of bits, u8 (ceil(d / 8)), as its encoder writes it: raw is the Hamming distance. */
export function signQuery(engine: Engine, row: Pointer, d: number): QueryData {
  const columns = Math.ceil(d / 8)
  const data = engine.memory.alloc(16 * columns)
  engine.kernels.spreadBytes(data, row, columns)
  return { data, step: 1, base: 0, exact: false }
}

/** A query for rows of f32 or f16: raw is the product, or minus the squared distance where `squared`. q: f32 (d). */
export function floatQuery(engine: Engine, q: Pointer, d: number, { squared = false } = {}): QueryData {
  const data = padded(engine, q, 4 * d, 4 * align(d, STEP_FLOATS))
  return { data, step: 1, base: 0, exact: false, squared }
}

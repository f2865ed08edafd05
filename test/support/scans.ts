import { blockBytes, blocksOf, clearBlocks, placeRows } from '../../src/embeddings/scan/blocks.js'
import { codeBytesOf, rowBytes, type RowLayout, type Scan } from '../../src/embeddings/scan/layout.js'
import type { Query, QueryData } from '../../src/embeddings/scan/query.js'
import type { Engine } from '../../src/embeddings/engine.js'
import type { Pointer } from '../../src/core/memory.js'
import { normals, seeded } from './random.js'

export const DIMENSIONS = [1, 2, 3, 7, 8, 15, 16, 17, 31, 63, 64, 65, 100, 300, 384, 768, 1000, 1536, 3072, 4097]
export const ROWS = [1, 2, 31, 32, 33, 64, 97]

export function layoutOf(
  scan: Scan,
  bits: number,
  count: number,
  factors: 0 | 2 | 3 = 0,
  centroidBytes: 0 | 1 | 2 = 0
): RowLayout {
  const codeBytes = scan === 'float' ? 4 * count : scan === 'half' ? 2 * count : codeBytesOf(bits, count)
  return { scan, bits, count, codeBytes, factors, ...(factors === 3 && { third: 'offset' }), centroidBytes }
}

/** All ways in which rows are laid out, with factors and centroids in turn. */
export function layouts(count: number): RowLayout[] {
  return [
    layoutOf('tables', 1, count, 2),
    layoutOf('tables', 2, count, 3, 1),
    layoutOf('tables', 3, count, 2, 2),
    layoutOf('tables', 4, count, 0, 1),
    ...[5, 6, 7].map((bits) => layoutOf('bytes', bits, count, bits === 6 ? 3 : 2, bits === 7 ? 2 : 0)),
    layoutOf('bytes', 8, count, 3),
    layoutOf('signs', 1, count),
    layoutOf('lookup', 8, count, 2),
    layoutOf('half', 16, count),
    layoutOf('float', 32, count)
  ]
}

/** Random rows; unused bits of codes are zero, factors finite, centroids below 200. */
export function randomRows(layout: RowLayout, rows: number, seed: number): Uint8Array<ArrayBuffer> {
  const { scan, bits, count, codeBytes, factors, centroidBytes } = layout
  const length = rowBytes(layout)
  const random = seeded(seed)
  const out = new Uint8Array(rows * length)
  const view = new DataView(out.buffer)
  const values = normals(rows * (count + 3), seed + 1)
  for (let r = 0; r < rows; r++) {
    const row = out.subarray(r * length)
    for (let i = 0; i < codeBytes; i++) row[i] = Math.floor(256 * random())
    if (scan === 'float')
      for (let i = 0; i < count; i++) view.setFloat32(r * length + 4 * i, values[r * count + i]!, true)
    else if (scan === 'half') {
      // Every exponent but that of infinities, subnormals included.
      for (let i = 0; i < count; i++) if ((row[2 * i + 1]! & 0x7c) === 0x7c) row[2 * i + 1]! &= 0xbb
    } else {
      let start = 0
      for (const plane of [8, 4, 2, 1]) {
        if (!(bits & plane)) continue
        const used = plane * count
        start += Math.ceil(used / 8)
        if (used & 7) row[start - 1]! &= (1 << (used & 7)) - 1
      }
    }
    for (let k = 0; k < factors; k++)
      view.setFloat32(r * length + codeBytes + 4 * k, values[rows * count + 3 * r + k]!, true)
    const at = r * length + codeBytes + 4 * factors
    if (centroidBytes === 1) view.setUint8(at, Math.floor(200 * random()))
    if (centroidBytes === 2) view.setUint16(at, Math.floor(200 * random()), true)
  }
  return out
}

/** Fresh blocks of rows. */
export function blocksWith(engine: Engine, layout: RowLayout, rows: Uint8Array, count: number): Pointer {
  const { memory } = engine
  const blocks = memory.alloc(blocksOf(count) * blockBytes(layout))
  clearBlocks(engine, layout, blocks, blocksOf(count))
  const from = memory.alloc(rows.length)
  memory.u8(from, rows.length).set(rows)
  placeRows(engine, layout, blocks, 0, from, count)
  return blocks
}

export function floats(engine: Engine, values: ArrayLike<number>): Pointer {
  const at = engine.memory.alloc(4 * values.length)
  engine.memory.f32(at, values.length).set(values)
  return at
}

export function queryOf(data: QueryData, rest: Partial<Query> = {}): Query {
  return { multiplier: 0, bound: 0, constant: 0, terms: 0, ...data, ...rest }
}

import { FormatError } from '../../core/errors.js'
import { byteLengthOf, describe, isLength, type Dtype, type TensorEntry } from '../../files/dtypes.js'
import { malformed, METADATA_KEY, parseEntry } from '../../files/entry.js'
import type { Readable } from '../../files/fileSystem.js'
import { brief } from '../../files/names.js'
import { headerLength, parseHeader, PREFIX_LENGTH, safetensorsHeader, type Placed } from '../../files/safetensors.js'
import { blockParts } from '../scan/blocks.js'
import type { Codec } from '../codec/codec.js'
import { BLOCK_ROWS, type RowLayout } from '../scan/layout.js'
import { Coarse } from './coarse.js'
import type { Collection, Shelf } from './collection.js'
import { LAST_ID, NO_ID } from './ids.js'
import { Lists } from './lists.js'
import { ORIGINALS, type OriginalsFormat } from './loaded.js'
import { MOST_LISTS, type IndexSettings } from './options.js'

const KIND = 'index'
const VERSION = 1
const NAMES = ['centroids', 'lists', 'ids', 'codes', 'originals', 'codec'] as const
type Name = (typeof NAMES)[number]

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** An index as the pieces of a safetensors file (docs/formats.md). They are views: they hold until the index changes. */
export function indexPieces(codec: Codec, settings: IndexSettings, collection: Collection): Uint8Array[] {
  const { coarse, lists, codes, originals, size, ids } = collection
  const entries: TensorEntry[] = []
  const pieces: Uint8Array[] = []
  const add = (name: Name, dtype: Dtype, shape: number[], ...parts: Uint8Array[]): void => {
    entries.push({ name, dtype, shape, byteLength: byteLengthOf(dtype, shape) })
    pieces.push(...parts)
  }
  if (coarse) {
    const { centroids } = coarse
    add('centroids', 'F32', [coarse.lists, centroids.length / coarse.lists], bytesOf(centroids))
    add('lists', 'U32', [coarse.lists], bytesOf(Uint32Array.from(lists.all, ({ rows }) => rows)))
  }
  const numbers = idsInOrder(collection)
  const plain = !coarse && ids.next === size && numbers.every((id, i) => id === i)
  if (!plain) add('ids', 'U32', [size], bytesOf(numbers))
  const blocks = lists.all.reduce((sum, list) => sum + list.used, 0)
  add('codes', 'U8', [blocks, codes.store.form.blockBytes], ...blocksOf(collection, codes))
  if (originals) add('originals', 'U8', [size, originals.store.form.rowBytes], ...rowsOf(collection, originals))
  const table = codec.toBytes()
  add('codec', 'U8', [table.length], table)
  const entry = {
    kind: KIND,
    version: VERSION,
    rows: size,
    next: ids.next,
    lists: settings.lists,
    seed: settings.seed,
    originals: settings.originals
  }
  return [safetensorsHeader(entries, { [METADATA_KEY]: JSON.stringify(entry) }), ...pieces]
}

export function sizeOfPieces(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}

/** Visits the blocks of all lists, in order, in pieces that follow one another in memory, and the rows that they hold. */
function eachPiece(
  { lists }: Collection,
  { store }: Shelf,
  visit: (pointer: number, first: number, blocks: number, rows: number) => void
): void {
  for (const list of lists.all) {
    let left = list.rows
    for (const run of list.runs) {
      store.eachPiece(run.first, run.count, (pointer, first, blocks) => {
        const rows = Math.min(left, BLOCK_ROWS * blocks)
        left -= rows
        visit(pointer, first, blocks, rows)
      })
    }
  }
}

function idsInOrder(collection: Collection): Uint32Array<ArrayBuffer> {
  const numbers = new Uint32Array(collection.size)
  let next = 0
  eachPiece(collection, collection.codes, (_, first, __, rows) => {
    for (let i = 0; i < rows; i++) numbers[next++] = collection.ids.at(BLOCK_ROWS * first + i)
  })
  return numbers
}

function blocksOf(collection: Collection, shelf: Shelf): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const { blockBytes } = shelf.store.form
  eachPiece(collection, shelf, (pointer, _, blocks) =>
    pieces.push(collection.engine.memory.u8(pointer, blocks * blockBytes))
  )
  return pieces
}

/** The same of rows one after the other, without what fills up a last block. */
function rowsOf(collection: Collection, shelf: Shelf): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const { rowBytes } = shelf.store.form
  eachPiece(collection, shelf, (pointer, _, __, rows) =>
    pieces.push(collection.engine.memory.u8(pointer, rows * rowBytes))
  )
  return pieces
}

/** A file of an index whose header is read. */
export interface IndexFile {
  readonly settings: IndexSettings
  /** the codec's own file */
  readonly codec: Uint8Array<ArrayBuffer>
  /** Reads the rest into an empty index of that codec. */
  fill(collection: Collection): void
}

/** Reads the header and checks it. Throws FormatError. */
export function readIndexFile(file: Readable): IndexFile {
  const prefix = new Uint8Array(Math.min(PREFIX_LENGTH, file.size))
  file.read(prefix, 0)
  const header = new Uint8Array(headerLength(prefix, file.size))
  file.read(header, PREFIX_LENGTH)
  const dataStart = PREFIX_LENGTH + header.length
  const { metadata, placed } = parseHeader(header, file.size - dataStart)
  const text = metadata[METADATA_KEY]
  if (text === undefined) throw new FormatError('bad-header', 'the file lacks the tersor metadata of an index')
  const entry = parseEntry(text, KIND, VERSION)
  const { rows, next } = entry
  if (!isLength(rows) || rows > LAST_ID + 1) throw malformed('expected a number of rows', rows)
  if (!isLength(next) || next < rows || next > LAST_ID + 1) {
    throw malformed(`expected the next id, at least ${rows}`, next)
  }
  const settings = readSettings(entry)
  const arrays = new Map(placed.map((one) => [one.name as Name, one]))
  const stranger = placed.find(({ name }) => !NAMES.includes(name as Name))
  if (stranger) throw new FormatError('bad-header', `the index's metadata knows no array ${brief(stranger.name)}`)
  const contents = new Contents(file, dataStart, arrays)
  return {
    settings,
    codec: contents.bytes('codec'),
    fill: (collection) => fill(collection, contents, settings, rows, next)
  }
}

function readSettings({ lists, seed, originals }: Record<string, unknown>): IndexSettings {
  if (!isLength(lists) || lists < 1 || lists > MOST_LISTS) throw malformed('expected a number of lists', lists)
  if (!isLength(seed)) throw malformed('expected a seed', seed)
  if (originals !== undefined && !ORIGINALS.includes(originals as OriginalsFormat)) {
    throw malformed(`expected originals of ${ORIGINALS.join(', ')}`, originals)
  }
  return { lists, seed, originals: originals as OriginalsFormat | undefined }
}

/** The arrays of a file. */
class Contents {
  constructor(
    private readonly file: Readable,
    private readonly dataStart: number,
    private readonly arrays: ReadonlyMap<Name, Placed>
  ) {}

  has(name: Name): boolean {
    return this.arrays.has(name)
  }

  /** Fills `to` with the bytes of an array from `offset` on. */
  read(name: Name, to: Uint8Array, offset = 0): void {
    this.file.read(to, this.dataStart + this.arrays.get(name)!.begin + offset)
  }

  bytes(name: Name): Uint8Array<ArrayBuffer> {
    const array = this.arrays.get(name)
    if (array?.dtype !== 'U8' || array.shape.length !== 1) {
      throw new FormatError('bad-tensor', `the index's array "${name}" expected bytes, got ${brief(array?.shape)}`)
    }
    const bytes = new Uint8Array(array.byteLength)
    this.read(name, bytes)
    return bytes
  }

  check(name: Name, dtype: Dtype, shape: readonly number[]): void {
    const array = this.arrays.get(name)
    if (array?.dtype === dtype && array.shape.join() === shape.join()) return
    const got = array ? describe(array.dtype, array.shape) : 'none'
    throw new FormatError('bad-tensor', `the index's array "${name}" expected ${describe(dtype, shape)}, got ${got}`)
  }

  u32(name: Name, length: number): Uint32Array<ArrayBuffer> {
    this.check(name, 'U32', [length])
    const numbers = new Uint32Array(length)
    this.read(name, bytesOf(numbers))
    return numbers
  }
}

function fill(
  collection: Collection,
  contents: Contents,
  { lists: count, originals }: IndexSettings,
  rows: number,
  next: number
): void {
  const { engine, codes, ids } = collection
  const isListed = contents.has('lists')
  if (isListed !== contents.has('centroids') || (isListed && (count === 1 || !contents.has('ids')))) {
    throw malformed('expected lists with their centroids and ids', count)
  }
  if (contents.has('originals') !== (originals !== undefined)) throw malformed('expected its originals', originals)
  const counts = isListed ? contents.u32('lists', count) : Uint32Array.of(rows)
  if (counts.reduce((sum, n) => sum + n, 0) !== rows) throw malformed(`expected lists of ${rows} rows in all`, rows)
  const lists = new Lists(counts.length)
  lists.layOut(counts)
  const { blockBytes } = codes.store.form
  contents.check('codes', 'U8', [lists.blocks, blockBytes])
  const kept = collection.originals
  if (kept) contents.check('originals', 'U8', [rows, kept.store.form.rowBytes])

  if (isListed) {
    const { inner } = codes.codec
    contents.check('centroids', 'F32', [count, inner])
    const centroids = new Float32Array(count * inner)
    contents.read('centroids', bytesOf(centroids))
    if (!centroids.every(Number.isFinite)) {
      throw new FormatError('bad-tensor', 'the index\'s array "centroids" expected finite numbers')
    }
    collection.coarse = new Coarse(engine, centroids, count, codes.codec.metric)
  }
  collection.lists = lists
  collection.reserve(BLOCK_ROWS * lists.blocks, { exactly: true, uncleared: true })
  let done = 0
  eachPiece(collection, codes, (pointer, _, blocks) => {
    contents.read('codes', engine.memory.u8(pointer, blocks * blockBytes), done * blockBytes)
    checkBlocks(collection, pointer, blocks)
    done += blocks
  })
  if (kept) {
    const { rowBytes, blockBytes } = kept.store.form
    let read = 0
    eachPiece(collection, kept, (pointer, _, blocks, some) => {
      const piece = engine.memory.u8(pointer, blocks * blockBytes)
      contents.read('originals', piece.subarray(0, some * rowBytes), read * rowBytes)
      checkRows(collection, kept, pointer, some)
      piece.fill(0, some * rowBytes)
      read += some
    })
  }
  if (contents.has('ids')) adoptIds(collection, contents.u32('ids', rows), next)
  else if (next !== rows) throw malformed(`expected ${rows} as the next id`, next)
  else ids.count = rows
  ids.next = next
}

function adoptIds(collection: Collection, numbers: Uint32Array<ArrayBuffer>, next: number): void {
  const beyond = numbers.find((id) => id >= next)
  if (beyond !== undefined) throw badIds(`expected ids below ${next}, got ${beyond}`)
  const placed = new Uint32Array(BLOCK_ROWS * collection.lists.blocks).fill(NO_ID)
  let read = 0
  eachPiece(collection, collection.codes, (_, first, __, rows) => {
    placed.set(numbers.subarray(read, read + rows), BLOCK_ROWS * first)
    read += rows
  })
  const twice = collection.ids.adopt(placed, numbers.length)
  if (twice !== undefined) throw badIds(`expected each id once, got ${twice} twice`)
}

const badIds = (message: string): FormatError => new FormatError('bad-tensor', `the index's array "ids" ${message}`)

/** What a scan relies on: floats and factors that are numbers, centroids that there are. */
function checkBlocks({ engine, codes }: Collection, pointer: number, count: number): void {
  const { layout, centroids } = codes.codec
  const { factors, centroid, bytes } = blockParts(layout)
  for (let at = pointer; at < pointer + count * bytes; at += bytes) {
    if (!areNumbers(engine, layout, at, factors)) {
      throw new FormatError('bad-tensor', 'the index\'s array "codes" expected finite numbers')
    }
    if (layout.factors && !engine.kernels.finiteF32(at + factors, BLOCK_ROWS * layout.factors)) {
      throw new FormatError('bad-tensor', 'the index\'s array "codes" expected finite factors')
    }
    if (layout.centroidBytes && greatest(centroidsAt(engine, layout, at + centroid)) >= centroids) {
      throw new FormatError('bad-tensor', `the index's array "codes" expected numbers of ${centroids} centroids`)
    }
  }
}

/** The same of originals, row after row. */
function checkRows({ engine }: Collection, { codec, store }: Shelf, pointer: number, count: number): void {
  const { layout } = codec
  const { rowBytes } = store.form
  const bytes = engine.memory.u8(pointer, count * rowBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let isGood = layout.factors > 0 || areNumbers(engine, layout, pointer, bytes.length)
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < layout.factors; i++) {
      isGood &&= Number.isFinite(view.getFloat32(row * rowBytes + layout.codeBytes + 4 * i, true))
    }
  }
  if (!isGood) throw new FormatError('bad-tensor', 'the index\'s array "originals" expected finite numbers')
}

/** Whether codes that are floats, in so many bytes, have neither NaN nor an infinity. */
function areNumbers(
  { memory, kernels }: Collection['engine'],
  { scan }: RowLayout,
  at: number,
  bytes: number
): boolean {
  if (scan === 'float') return kernels.finiteF32(at, bytes / 4) !== 0
  return scan !== 'half' || memory.u16(at, bytes / 2).every((half) => (half & HALF_ONES) !== HALF_ONES)
}

/** The exponent of a float16 that is not finite. */
const HALF_ONES = 0x7c00

function centroidsAt({ memory }: Collection['engine'], layout: RowLayout, at: number): Uint8Array | Uint16Array {
  return layout.centroidBytes === 2 ? memory.u16(at, BLOCK_ROWS) : memory.u8(at, BLOCK_ROWS)
}

function greatest(numbers: Uint8Array | Uint16Array): number {
  let top = 0
  for (const number of numbers) if (number > top) top = number
  return top
}

import { FormatError } from '../../core/errors.js'
import { readArtefact } from '../../files/artefact.js'
import { malformed } from '../../files/entry.js'
import type { Readable } from '../../files/fileSystem.js'
import { BLOCK_ROWS } from '../scan/layout.js'
import { checkBlocks, checkOriginals } from './checkCodes.js'
import { Coarse } from './coarse.js'
import type { Collection, Shelf } from './collection.js'
import { NO_ID } from './ids.js'
import { bytesOf, Contents } from './indexContents.js'
import { KIND, readEntry, VERSION, type IndexEntry } from './indexEntry.js'
import { Lists } from './lists.js'
import type { IndexSettings } from './options.js'

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
  const { entry: fields, placed, dataStart } = readArtefact(file, KIND, VERSION)
  const entry = readEntry(fields)
  const contents = new Contents(file, dataStart, placed)
  return {
    settings: entry.settings,
    codec: contents.bytes('codec'),
    fill: (collection) => fill(collection, contents, entry)
  }
}

/** Lists come first, since they say where rows stand; all shapes are checked before anything large is read. */
function fill(collection: Collection, contents: Contents, { settings, rows, next }: IndexEntry): void {
  const { codes, originals, ids } = collection
  if (contents.has('originals') !== (originals !== undefined)) {
    throw malformed('expected its originals', settings.originals)
  }
  collection.lists = readLists(contents, settings, rows)
  contents.check('codes', 'U8', [collection.lists.blocks, codes.store.form.blockBytes])
  if (originals) contents.check('originals', 'U8', [rows, originals.store.form.rowBytes])
  if (contents.has('centroids')) collection.coarse = readCoarse(collection, contents, settings.lists)

  collection.reserve(BLOCK_ROWS * collection.lists.blocks, { exactly: true, uncleared: true })
  readCodes(collection, contents)
  if (originals) readOriginals(collection, originals, contents)
  if (contents.has('ids')) adoptIds(collection, contents.u32('ids', rows), next)
  else if (next !== rows) throw malformed(`expected ${rows} as the next id`, next)
  else ids.count = rows
  ids.next = next
}

/** The lists of a file; one where they have not been made yet. */
function readLists(contents: Contents, { lists: count }: IndexSettings, rows: number): Lists {
  const isListed = contents.has('lists')
  if (isListed !== contents.has('centroids') || (isListed && (count === 1 || !contents.has('ids')))) {
    throw malformed('expected lists with their centroids and ids', count)
  }
  const counts = isListed ? contents.u32('lists', count) : Uint32Array.of(rows)
  if (counts.reduce((sum, n) => sum + n, 0) !== rows) throw malformed(`expected lists of ${rows} rows in all`, rows)
  const lists = new Lists(counts.length)
  lists.layOut(counts)
  return lists
}

function readCoarse({ engine, codes }: Collection, contents: Contents, lists: number): Coarse {
  const { inner, metric } = codes.codec
  contents.check('centroids', 'F32', [lists, inner])
  const centroids = new Float32Array(lists * inner)
  contents.read('centroids', bytesOf(centroids))
  if (!centroids.every(Number.isFinite)) {
    throw new FormatError('bad-tensor', 'the index\'s array "centroids" expected finite numbers')
  }
  return new Coarse(engine, centroids, lists, metric)
}

function readCodes(collection: Collection, contents: Contents): void {
  const { engine, codes } = collection
  const { blockBytes } = codes.store.form
  let done = 0
  collection.eachPiece(codes, (pointer, _, blocks) => {
    contents.read('codes', engine.memory.u8(pointer, blocks * blockBytes), done * blockBytes)
    checkBlocks(collection, pointer, blocks)
    done += blocks
  })
}

function readOriginals(collection: Collection, originals: Shelf, contents: Contents): void {
  const { rowBytes, blockBytes } = originals.store.form
  let done = 0
  collection.eachPiece(originals, (pointer, _, blocks, rows) => {
    const piece = collection.engine.memory.u8(pointer, blocks * blockBytes)
    contents.read('originals', piece.subarray(0, rows * rowBytes), done * rowBytes)
    checkOriginals(collection, originals, pointer, rows)
    piece.fill(0, rows * rowBytes)
    done += rows
  })
}

function adoptIds(collection: Collection, numbers: Uint32Array<ArrayBuffer>, next: number): void {
  const beyond = numbers.find((id) => id >= next)
  if (beyond !== undefined) throw badIds(`expected ids below ${next}, got ${beyond}`)
  const placed = new Uint32Array(BLOCK_ROWS * collection.lists.blocks).fill(NO_ID)
  let read = 0
  collection.eachPiece(collection.codes, (_, first, __, rows) => {
    placed.set(numbers.subarray(read, read + rows), BLOCK_ROWS * first)
    read += rows
  })
  const twice = collection.ids.adopt(placed, numbers.length)
  if (twice !== undefined) throw badIds(`expected each id once, got ${twice} twice`)
}

const badIds = (message: string): FormatError => new FormatError('bad-tensor', `the index's array "ids" ${message}`)

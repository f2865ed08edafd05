import { rangeError, typeError, stateError } from '../../core/errors.js'
import { checkInteger, checkOptions, isArrayOf, show } from '../../core/check.js'
import { createEngine, frame } from '../engine.js'
import type { Source } from '../../core/tensor.js'
import { partsOf, readCodes, type Codec, type CodesLike } from '../codec/codec.js'
import { rowBytes } from '../scan/layout.js'
import type { VectorsLike } from '../vectors/vectors.js'
import { vectorsOf } from '../vectors/vectors.js'
import { Collection, type Shelf } from './collection.js'
import { LEAST_ROWS, makeLists } from './makeLists.js'
import { indexPieces, sizeOfPieces } from './indexFile.js'
import { LAST_ID } from './ids.js'
import { codeForm, exactCodec, loadParts, meanOf, type LoadedCodec, type OriginalsFormat } from './loaded.js'
import { type AsyncRescore, type IndexSettings, planSearch, type Rescore, type SearchOptions } from './options.js'
import { checkFloats, readIds, repeated, rowsInTile } from './rows.js'
import { searching } from './searching.js'
import type { SearchResult } from './searchResult.js'
import { rowForm, Store } from './store.js'
import { writeFile } from '../../files/fileSystem.js'

export interface AddOptions {
  /** whole numbers from 0 to 4294967294, one for each vector, none of which the index has; default: the next numbers after the greatest that there was */
  ids?: ArrayLike<number>
}

/** Vectors by their codes, and the search for those nearest to a query. It owns its engine, whose memory is freed with it. */
export interface Index {
  readonly codec: Codec
  /** rows that it holds */
  readonly size: number
  /** bytes of all that it holds, room for more and for scratch included */
  readonly bytes: number
  /** lists that rows are kept in */
  readonly lists: number
  readonly originals: OriginalsFormat | undefined
  /** Makes room for so many rows in all, and no more. */
  reserve(rows: number): void
  /** Encodes vectors (n, dimension) and adds them; returns their ids. Throws, the index unchanged, for numbers that are not finite and for ids that are taken. */
  add(vectors: VectorsLike, options?: AddOptions): Uint32Array<ArrayBuffer>
  /** The same for codes (n, bytesPerVector) of its codec; not where originals are kept. */
  addCodes(codes: CodesLike, options?: AddOptions): Uint32Array<ArrayBuffer>
  /** Removes rows, and returns how many of the ids there were. */
  remove(ids: number | ArrayLike<number>): number
  has(id: number): boolean
  /** The k nearest of each query, (dimension) or (q, dimension); every query by itself. */
  search(queries: VectorsLike, options?: SearchOptions): SearchResult
  /**
   * The same where the vectors that candidates are scored by come later: from a database, or from a file by {@link fileVectors}. Rows may come and go
   * meanwhile: a query is answered by those that are there when its last vectors have come.
   */
  searchAsync(queries: VectorsLike, options?: SearchOptions<AsyncRescore>): Promise<SearchResult>
  /** The bytes of a safetensors file (docs/formats.md); with a path, writes them there, whole or not at all (Node, Deno, Bun). */
  save(): Uint8Array<ArrayBuffer>
  save(path: string): void
}

export class CodeIndex implements Index {
  readonly collection: Collection
  private exact: LoadedCodec | undefined
  /** set while a function of the caller runs: it may look, but not touch */
  private isBusy = false

  constructor(
    verb: string,
    readonly codec: Codec,
    readonly settings: IndexSettings
  ) {
    const { front, quantizer } = partsOf(verb, codec)
    const engine = createEngine()
    const codes = loadParts(engine, front, quantizer)
    const shelf: Shelf = { codec: codes, store: new Store(engine, codeForm(engine, codes.layout)) }
    const { originals } = settings
    if (!originals) {
      this.collection = new Collection(engine, [shelf])
      return
    }
    const whole = exactCodec(engine, originals, codec.dimensions, codec.metric, meanOf(front, quantizer))
    const rows = new Store(engine, rowForm(engine, rowBytes(whole.layout)))
    this.collection = new Collection(engine, [shelf, { codec: whole, store: rows }])
  }

  get size(): number {
    return this.collection.size
  }

  get bytes(): number {
    return this.collection.bytes
  }

  get lists(): number {
    return this.settings.lists
  }

  get originals(): OriginalsFormat | undefined {
    return this.settings.originals
  }

  reserve(rows: number): void {
    checkInteger('reserve', 'rows', rows, 0, LAST_ID + 1)
    this.alone('reserve')
    this.collection.reserve(rows, { exactly: true })
  }

  add(vectors: VectorsLike, options: AddOptions = {}): Uint32Array<ArrayBuffer> {
    this.alone('add')
    const source = this.readVectors('add', 'vectors', vectors)
    const ids = this.newIds('add', options, source.shape[0]!)
    const { engine } = this.collection
    const shelves = this.collection.present().map(({ codec }) => codec)
    const { dimensions } = this.codec
    const step = rowsInTile(4 * dimensions)
    this.collection.append(ids, step, (to, first, count) => {
      frame(engine, (memory) => {
        shelves.forEach((codec, i) => {
          const inner = memory.alloc(4 * codec.inner * count)
          codec.front(inner, source, first, count)
          codec.encode(to[i]!, inner, count)
        })
      })
    })
    return ids
  }

  addCodes(codes: CodesLike, options: AddOptions = {}): Uint32Array<ArrayBuffer> {
    this.alone('addCodes')
    if (this.settings.originals) {
      throw typeError('addCodes: expected an index without originals, which codes do not give; use add')
    }
    const { engine, codes: shelf } = this.collection
    const { rowBytes: length } = shelf.store.form
    const { bytes, count } = readCodes('addCodes', codes, partsOf('addCodes', this.codec).quantizer)
    checkFloats('addCodes: "codes"', bytes, shelf.codec.layout)
    const ids = this.newIds('addCodes', options, count)
    this.collection.append(ids, rowsInTile(length), ([to], first, count) => {
      engine.memory.u8(to!, count * length).set(bytes.subarray(first * length, (first + count) * length))
    })
    return ids
  }

  remove(ids: number | ArrayLike<number>): number {
    this.alone('remove')
    return this.collection.remove(readIds('remove', typeof ids === 'number' ? [ids] : ids))
  }

  has(id: number): boolean {
    checkInteger('has', 'id', id, 0, LAST_ID)
    return this.collection.ids.find(id) >= 0
  }

  search(queries: VectorsLike, options: SearchOptions = {}): SearchResult {
    const verb = 'search'
    const { run, ask } = this.begin<Rescore>(verb, queries, options)
    for (let step = this.guarded(() => run.next(undefined as never)); ;) {
      if (step.done) return step.value
      const vectors = this.guarded(() => ask!(step.value as Uint32Array<ArrayBuffer>))
      if (typeof (vectors as { then?: unknown } | null)?.then === 'function') {
        throw typeError(`${verb}: "rescore" expected vectors, got a promise; use searchAsync`)
      }
      const rows = this.readAsked(verb, vectors, step.value.length)
      step = this.guarded(() => run.next(rows))
    }
  }

  async searchAsync(queries: VectorsLike, options: SearchOptions<AsyncRescore> = {}): Promise<SearchResult> {
    const verb = 'searchAsync'
    const { run, ask } = this.begin<AsyncRescore>(verb, queries, options, { isWaiting: true })
    for (let step = this.guarded(() => run.next(undefined as never)); ;) {
      if (step.done) return step.value
      const rows = this.readAsked(verb, await ask!(step.value), step.value.length)
      step = this.guarded(() => run.next(rows))
    }
  }

  save(): Uint8Array<ArrayBuffer>
  save(path: string): void
  save(path?: string): Uint8Array<ArrayBuffer> | void {
    if (path !== undefined && typeof path !== 'string') {
      throw typeError(`save: "path" expected a string, or nothing to get the bytes, got ${show(path)}`)
    }
    this.alone('save')
    this.makeLists()
    const pieces = indexPieces(this.codec, this.settings, this.collection)
    if (path !== undefined) return writeFile('save', path, pieces)
    const bytes = new Uint8Array(sizeOfPieces(pieces))
    let at = 0
    for (const piece of pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    return bytes
  }

  /** Checks a search and starts it. */
  private begin<R>(verb: string, queries: VectorsLike, options: SearchOptions<R>, { isWaiting = false } = {}) {
    this.alone(verb)
    const { third } = this.collection.codes.codec.layout
    const { lists, originals } = this.settings
    const source = this.readVectors(verb, 'queries', queries)
    const held = {
      ...{ queries: source.shape[0]!, lists },
      ...{ hasOriginals: originals !== undefined, isBounded: third === 'error' }
    }
    const plan = planSearch(verb, options, held)
    this.makeLists()
    // What is the caller's may be written to while vectors are waited for.
    const own = isWaiting ? { ...source, data: source.data.slice() } : source
    const filter = isWaiting && isArrayOf(plan.filter, Uint8Array) ? plan.filter.slice() : plan.filter
    return { run: searching(this.collection, () => this.exactly(), own, { ...plan, filter }), ask: plan.ask }
  }

  private exactly(): LoadedCodec {
    const { engine } = this.collection
    return (this.exact ??= exactCodec(engine, 'float32', this.codec.dimensions, this.codec.metric))
  }

  /** Lists are made once there are rows enough, when they are first needed: so it does not matter how the rows came. */
  private makeLists(): void {
    const { lists, seed } = this.settings
    const { collection } = this
    if (lists === 1 || collection.coarse || collection.size < LEAST_ROWS * lists) return
    makeLists(collection, lists, seed)
  }

  private readVectors(verb: string, name: string, value: unknown): Source {
    const { dimensions } = this.codec
    return vectorsOf(verb, value, name, dimensions)
  }

  private readAsked(verb: string, vectors: unknown, count: number): Source {
    const source = this.readVectors(verb, 'rescore', vectors)
    if (source.shape[0] !== count) {
      throw rangeError(
        `${verb}: "rescore" expected ${count} vectors, one for each id in their order, got ${source.shape[0]}`
      )
    }
    return source
  }

  private newIds(verb: string, options: AddOptions, count: number): Uint32Array<ArrayBuffer> {
    checkOptions(verb, options, ['ids'])
    const { ids: known } = this.collection
    if (options.ids === undefined) {
      if (known.next + count > LAST_ID + 1) {
        throw rangeError(`${verb}: "ids" expected numbers up to ${LAST_ID}, which the next would exceed; give "ids"`)
      }
      return Uint32Array.from({ length: count }, (_, i) => known.next + i)
    }
    const ids = readIds(verb, options.ids, count)
    const twice = repeated(ids)
    if (twice !== undefined) throw rangeError(`${verb}: "ids" expected each id once, got ${twice} twice`)
    // What is beyond the greatest is new.
    const taken = ids.find((id) => id < known.next && known.find(id) >= 0)
    if (taken !== undefined) {
      throw rangeError(`${verb}: "ids" expected ids that the index does not have, got ${taken}; remove it first`)
    }
    return ids
  }

  /** Runs what may call a function of the caller. */
  private guarded<T>(body: () => T): T {
    this.isBusy = true
    try {
      return body()
    } finally {
      this.isBusy = false
    }
  }

  private alone(verb: string): void {
    if (this.isBusy) {
      throw stateError(
        'busy',
        `${verb}: the index is in the middle of a search, which its filter or rescore function may not disturb`
      )
    }
  }
}

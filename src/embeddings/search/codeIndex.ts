import { joinPieces } from '../../files/pieces.js'
import { rangeError, typeError, stateError } from '../../core/errors.js'
import { checkInteger, isArrayOf } from '../../core/check.js'
import { createEngineOf } from '../../core/engine.js'
import { frame, SEARCHING, type Kernels } from '../engine.js'
import type { Source } from '../../core/tensor.js'
import { saveFile } from '../../files/openInput.js'
import { partsOf, readCodes, refuseWithoutEncoder, type Codec, type CodesLike } from '../codec/codec.js'
import { rowBytes } from '../scan/layout.js'
import { vectorsOf, type VectorsLike } from '../vectors/vectors.js'
import { rowsInBatch } from './batches.js'
import { Collection, type Shelf } from './collection.js'
import { newIds, readIds } from './givenIds.js'
import { LAST_ID } from './ids.js'
import type { Index } from './indexInterface.js'
import { codeForm, exactCodec, knownMean, loadParts, type LoadedCodec, type OriginalsFormat } from './loaded.js'
import { LEAST_ROWS } from './lists.js'
import type { Encoder } from './encoder.js'
import {
  type AddOptions,
  type AsyncRescore,
  type IndexSettings,
  planSearch,
  type Rescore,
  type SearchOptions
} from './options.js'
import { searching } from './searching.js'
import type { SearchResult } from './searchResult.js'
import { rowForm, Store } from './store.js'
import { indexPieces } from './writeIndex.js'

/** The collection of an empty index, in an engine of its own. */
function emptyCollection(
  verb: string,
  codec: Codec,
  { originals }: IndexSettings,
  encoder: Encoder | undefined
): Collection {
  const { front, quantizer } = partsOf(verb, codec)
  const engine = createEngineOf<Kernels>(encoder?.modules ?? SEARCHING)
  const codes = loadParts(engine, front, quantizer, encoder?.encoders)
  const shelf: Shelf = { codec: codes, store: new Store(engine, codeForm(engine, codes.layout)) }
  if (!originals) return new Collection(engine, [shelf])
  const whole = exactCodec(engine, originals, codec.dimensions, codec.metric, knownMean(front, quantizer))
  const rows = new Store(engine, rowForm(engine, rowBytes(whole.layout)))
  return new Collection(engine, [shelf, { codec: whole, store: rows }])
}

/** The public index: checks what comes in, keeps callbacks away, and leaves the rest to its collection. */
export class CodeIndex implements Index {
  readonly collection: Collection
  private exact: LoadedCodec | undefined
  /** set while a function of the caller runs: it may look, but not touch */
  private isBusy = false

  constructor(
    verb: string,
    readonly codec: Codec,
    readonly settings: IndexSettings,
    private readonly encoder: Encoder | undefined
  ) {
    this.collection = emptyCollection(verb, codec, settings, encoder)
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
    if (!this.encoder) return refuseWithoutEncoder('add')
    const source = this.readVectors('add', 'vectors', vectors)
    const ids = newIds('add', this.collection.ids, options, source.shape[0]!)
    const { engine } = this.collection
    const shelves = this.collection.present().map(({ codec }) => codec)
    const { dimensions } = this.codec
    const step = rowsInBatch(4 * dimensions)
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
    // Their lists are those of the vectors that they stand for.
    if (this.settings.lists > 1 && !this.encoder) return refuseWithoutEncoder('addCodes')
    if (this.settings.originals) {
      throw typeError('addCodes: expected an index without originals, which codes do not give; use add')
    }
    const { engine, codes: shelf } = this.collection
    const { rowBytes: length } = shelf.store.form
    const { bytes, count } = readCodes('addCodes', codes, partsOf('addCodes', this.codec).quantizer)
    const ids = newIds('addCodes', this.collection.ids, options, count)
    this.collection.append(ids, rowsInBatch(length), ([to], first, count) => {
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

  toBytes(): Uint8Array<ArrayBuffer> {
    this.alone('toBytes')
    return joinPieces(this.pieces('toBytes'))
  }

  save(path: string): void {
    saveFile(path, () => {
      this.alone('save')
      return this.pieces('save')
    })
  }

  /** What a file of this index consists of, with the lists made that its rows are enough for. */
  private pieces(verb: string): Uint8Array[] {
    this.makeLists(verb)
    return indexPieces(this.codec, this.settings, this.collection)
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
    this.makeLists(verb)
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
  private makeLists(verb: string): void {
    const { lists, seed } = this.settings
    const { collection } = this
    if (lists === 1 || collection.coarse || collection.size < LEAST_ROWS * lists) return
    if (!this.encoder) return refuseWithoutEncoder(verb)
    this.encoder.makeLists(collection, lists, seed)
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

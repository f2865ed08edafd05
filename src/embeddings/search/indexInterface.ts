/**
 * The room of search: the index.
 *
 * Read this file (what an index does), codeIndex (the class), collection with lists, ids and store (where each row is).
 * A search: options (its plan), searching with shortlist, refine, ranking and rescore (its modes), filter, find.
 * Lists: coarse, makeLists. Its file: writeIndex, readIndex, indexEntry, indexContents. encoder lets it take vectors.
 * May import core, files, linalg, and the rooms before it.
 */
import type { Codec, CodesLike } from '../codec/codec.js'
import type { VectorsLike } from '../vectors/vectors.js'
import type { OriginalsFormat } from './loaded.js'
import type { AddOptions, AsyncRescore, SearchOptions } from './options.js'
import type { SearchResult } from './searchResult.js'

/**
 * Vectors by their codes, and the search for those nearest to a query. It owns its engine, whose memory is freed with
 * it.
 */
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
  /**
   * Encodes vectors (n, dimensions) and adds them; returns their ids.
   *
   * @throws RangeError, the index unchanged, for numbers that are not finite and for ids that are taken
   */
  add(vectors: VectorsLike, options?: AddOptions): Uint32Array<ArrayBuffer>
  /** The same for codes (n, bytesPerVector) of its codec; not where originals are kept. */
  addCodes(codes: CodesLike, options?: AddOptions): Uint32Array<ArrayBuffer>
  /** Removes rows, and returns how many of the ids there were. */
  remove(ids: number | ArrayLike<number>): number
  has(id: number): boolean
  /** The k nearest of each query, (dimensions) or (q, dimensions); every query by itself. */
  search(queries: VectorsLike, options?: SearchOptions): SearchResult
  /**
   * The same where the vectors that candidates are scored by come later: from a database, or from a file by
   * {@link fileVectors}. Rows may come and go meanwhile. A query is answered by the rows that are there when its last
   * vectors have come.
   */
  searchAsync(queries: VectorsLike, options?: SearchOptions<AsyncRescore>): Promise<SearchResult>
  /** All of it as the bytes of a safetensors file (docs/formats.md), for `openIndex`. */
  toBytes(): Uint8Array<ArrayBuffer>
  /** Writes these bytes to a file, whole or not at all (Node, Deno, Bun). */
  save(path: string): void
}

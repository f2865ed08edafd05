import type { Tensor } from '../../core/tensor.js'
import type { Found } from './find.js'
import { NO_ID } from './ids.js'

export interface SearchResult {
  /** (queries, k): the best first, equals by id; 4294967295 where there is none */
  ids: Tensor<Uint32Array<ArrayBuffer>>
  /**
   * (queries, k): cosine, inner product or negative squared distance, by the codec's metric; -Infinity where none is
   */
  scores: Tensor<Float32Array<ArrayBuffer>>
  /** how many of the k there are, for each query */
  counts: Uint32Array<ArrayBuffer>
  /** how many rows were scored again by their originals, for each query */
  rescored: Uint32Array<ArrayBuffer>
}

export function emptyResult(count: number, k: number): SearchResult {
  return {
    ids: { data: new Uint32Array(count * k).fill(NO_ID), shape: [count, k] },
    scores: { data: new Float32Array(count * k).fill(-Infinity), shape: [count, k] },
    counts: new Uint32Array(count),
    rescored: new Uint32Array(count)
  }
}

/** Writes what was found for query `row`, of which `again` rows were rescored. */
export function putFound({ ids, scores, counts, rescored }: SearchResult, row: number, found: Found, again = 0): void {
  const k = ids.shape[1]!
  ids.data.set(found.ids, row * k)
  scores.data.set(found.scores, row * k)
  counts[row] = found.ids.length
  rescored[row] = again
}

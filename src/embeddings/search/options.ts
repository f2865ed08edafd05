import { rangeError, typeError } from '../../core/errors.js'
import { checkInteger, checkOptions, show } from '../../core/check.js'
import type { VectorsLike } from '../vectors/vectors.js'
import { checkFilter, type Filter } from './filter.js'
import { ORIGINALS, type OriginalsFormat } from './loaded.js'

export interface IndexOptions {
  /** keeps the vectors themselves, too, to score candidates by them; default: codes alone */
  originals?: OriginalsFormat
  /** lists that rows are kept in, 1 to 65535; a search looks at some of them only. Default 1 */
  lists?: number
  /** of the lists' k-means; default 0 */
  seed?: number
}

export interface AddOptions {
  /**
   * whole numbers from 0 to 4294967294, one for each vector, none of which the index has; default: the next numbers
   * after the greatest that there was
   */
  ids?: ArrayLike<number>
}

/** What makes an index what it is, apart from its rows. */
export interface IndexSettings {
  readonly originals: OriginalsFormat | undefined
  readonly lists: number
  readonly seed: number
}

/** Gives the vectors of ids, as rows in their order. */
export type Rescore = (ids: Uint32Array<ArrayBuffer>) => VectorsLike
export type AsyncRescore = (ids: Uint32Array<ArrayBuffer>) => VectorsLike | Promise<VectorsLike>

export interface SearchOptions<R = Rescore> {
  /** results for each query; default 10 */
  k?: number
  /**
   * which ids may be found: a function, asked once for each row that is looked at; or bits, `id & 7` of byte `id >> 3`
   */
  filter?: Filter
  /**
   * candidates that are scored again, times k; default 3. Infinity, where codes have bounds of their error: all that
   * these do not rule out
   */
  oversampling?: number
  /**
   * gives the vectors that candidates are scored by; false: the codes' scores stay. Default: the originals, where the
   * index keeps them
   */
  rescore?: R | false
  /**
   * lists that are looked at; default twice the square root of their number: they have 96% of the ten nearest of 20,000
   * sentences
   */
  probes?: number
}

const MOST_RESULTS = 1 << 24
/** Of all queries together: ids and scores are 1 GiB each. */
const MOST_IN_ALL = 1 << 28
export const MOST_LISTS = 65535
const OVERSAMPLING = 3

export function checkIndexOptions(verb: string, options: IndexOptions): IndexSettings {
  checkOptions(verb, options, ['originals', 'lists', 'seed'])
  const { originals, lists = 1, seed = 0 } = options
  if (originals !== undefined && !ORIGINALS.includes(originals)) {
    throw typeError(`${verb}: "originals" expected one of ${ORIGINALS.join(', ')}, got ${show(originals)}`)
  }
  checkInteger(verb, 'lists', lists, 1, MOST_LISTS)
  checkInteger(verb, 'seed', seed, 0, Number.MAX_SAFE_INTEGER)
  return { originals, lists, seed }
}

/** A search whose options are checked. */
export interface SearchPlan {
  readonly k: number
  /** rows that are rescored for each query, at most; Infinity: all that the codes' bounds do not rule out */
  readonly candidates: number
  readonly filter: Filter | undefined
  readonly probes: number
  /** scores rows by the originals that the index keeps, or by vectors that are asked for */
  readonly rescore: 'kept' | 'asked' | undefined
}

/** What a plan is made for. */
interface Held {
  readonly queries: number
  readonly lists: number
  readonly hasOriginals: boolean
  /** whether codes have bounds of their error */
  readonly isBounded: boolean
}

/** The probes of a search that does not say. */
export function defaultProbes(lists: number): number {
  let root = 1
  while (root * root < lists) root++
  return Math.min(lists, 2 * root)
}

export function planSearch<R>(
  verb: string,
  options: SearchOptions<R>,
  { queries, lists, hasOriginals, isBounded }: Held
): SearchPlan & { readonly ask: R | undefined } {
  checkOptions(verb, options, ['k', 'filter', 'oversampling', 'rescore', 'probes'])
  const { k = 10, oversampling, rescore, probes } = options
  checkInteger(verb, 'k', k, 1, MOST_RESULTS)
  if (k * queries > MOST_IN_ALL) {
    throw rangeError(
      `${verb}: "k" expected at most ${Math.max(1, Math.floor(MOST_IN_ALL / queries))} for ${queries} queries, got ${k}; search for fewer at a time`
    )
  }
  if (rescore !== undefined && rescore !== false && typeof rescore !== 'function') {
    throw typeError(`${verb}: "rescore" expected a function of ids, or false, got ${show(rescore)}`)
  }
  const ask = rescore ? rescore : undefined
  const again = ask ? 'asked' : rescore !== false && hasOriginals ? 'kept' : undefined
  return {
    k,
    candidates: again
      ? checkOversampling(verb, oversampling ?? OVERSAMPLING, isBounded) * k
      : refused(verb, oversampling, k),
    filter: checkFilter(verb, options.filter),
    probes: checkProbes(verb, probes, lists),
    rescore: again,
    ask
  }
}

function checkOversampling(verb: string, oversampling: unknown, isBounded: boolean): number {
  if (typeof oversampling !== 'number') {
    throw typeError(`${verb}: "oversampling" expected a number, got ${show(oversampling)}`)
  }
  if (oversampling === Infinity && isBounded) return oversampling
  if (!(oversampling >= 1 && oversampling < Infinity)) {
    const hint = oversampling === Infinity ? '; only codes of rabitq say how far they are off' : ''
    throw rangeError(`${verb}: "oversampling" expected a number of at least 1, got ${oversampling}${hint}`)
  }
  return oversampling
}

function refused(verb: string, oversampling: unknown, k: number): number {
  if (oversampling !== undefined && oversampling !== 1) {
    throw rangeError(
      `${verb}: "oversampling" expected vectors to score candidates by, got ${show(oversampling)} without; ` +
        'give "rescore", or create the index with "originals"'
    )
  }
  return k
}

function checkProbes(verb: string, probes: unknown, lists: number): number {
  if (probes === undefined) return defaultProbes(lists)
  if (lists === 1) {
    throw rangeError(`${verb}: "probes" expected an index with lists, got ${show(probes)}; create it with "lists"`)
  }
  return Math.min(lists, checkInteger(verb, 'probes', probes, 1, Infinity))
}

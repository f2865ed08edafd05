import { coding } from '../coding.js'
import { rangeError, typeError } from '../../../core/errors.js'
import { checkChoice, checkInteger, checkOptions, show } from '../../../core/check.js'
import { defaultEngine, frame } from '../../codingEngine.js'
import type { Pointer } from '../../../core/memory.js'
import type { Tensor } from '../../../core/tensor.js'
import { createGram, type Gram } from '../../../linalg/gram.js'
import { codecOf, type Codec } from '../codec.js'
import { batchRows, createFront, type Front } from '../front.js'
import { rowBytes } from '../../scan/layout.js'
import { METHODS, METRICS, type Method, type Metric, type Quantizer } from '../quantizer.js'
import { createFitEngine, type FitEngine, type Fitter, type Sample } from './fitter.js'
import { fitterOf, type AnyFitter, type MethodOptions } from './fitters.js'
import { RowSample } from './sample.js'
import { MOST_DIMENSIONS, vectorsOf, type Vectors, type VectorsLike } from '../../vectors/vectors.js'

export interface CodecOptions extends MethodOptions {
  /** default 'turbo' */
  method?: Method
  /** of one code; default the method's own: of turbo 2 */
  bits?: number
  /** in place of `bits`: the widest rows of at most so many bytes */
  bytes?: number
  /** what vectors are compared by; default 'cosine' */
  metric?: Metric
  /** of all that is random; default 0 */
  seed?: number
  /** only so many leading elements of a vector (Matryoshka embeddings); default all */
  truncate?: number
  /** only so many principal components, after truncation; default none */
  pca?: number
  /** most rows that are kept to fit on, chosen at random; default what 32 MiB hold, and at most 65536 */
  keep?: number
}

export interface CodecFitOptions extends CodecOptions {
  /** where this part's first row stands in the whole table; default 0 */
  first?: number
}

/** What a codec is fitted from: the rows of a table, in parts, in streams, or both. */
export interface CodecFit {
  readonly dimensions: number
  /** rows that were added */
  readonly count: number
  /**
   * Adds vectors (r, dimension), or one (dimension), behind the last that is here.
   *
   * @throws RangeError for vectors of another dimension, or with a number that is not finite (row and column are
   * named); nothing is added then
   */
  add(vectors: VectorsLike): this
  /**
   * Takes in what another part holds, which stays as it is.
   *
   * @throws TypeError for what is no CodecFit; RangeError for one of other options, and where both have a row
   */
  merge(other: CodecFit): this
  /**
   * The codec: the same bytes however the table came together.
   *
   * @throws RangeError where there are no rows, where rows between them are missing, and for what the method asks of
   * them
   */
  fit(): Codec
}

const VERB = 'fitCodec'
const COMMON = ['method', 'bits', 'bytes', 'metric', 'seed', 'truncate', 'pca', 'keep'] as const

const KEPT_BYTES = 32 * 2 ** 20
const KEPT_ROWS = 65536

/**
 * Fits a codec to vectors.
 *
 * Shapes: sample (n, dimension), the whole table or rows chosen from it at random. Defaults: method 'turbo' with 2
 * bits, for the cosine, seed 0.
 * Numbers: for the cosine all that are within float32; for dot and l2 below 2^48. Data whose rows lie less than 1e-12
 * apart has to be rescaled: squares of less vanish in float32.
 * Method: the front (truncation, principal components, unit length), then the method's own, named there. All that is
 * learnt comes from at most `keep` rows: those of the least hash of seed and place.
 *
 * @throws TypeError for an unknown option, or both bits and bytes; RangeError for bits that the method lacks (those it
 * has are listed), and for fewer rows than centroids
 * @throws RangeError for rows with a number that is not finite (row and column are named)
 */
export function fitCodec(sample: VectorsLike, options: CodecOptions = {}): Codec {
  const source = vectorsOf(VERB, sample, 'sample')
  const [count, dimensions] = source.shape
  if (count === 0 || source.single) {
    throw rangeError(`${source.name} expected vectors of shape (n, dimension), got ${count ? 'one' : 'none'}`)
  }
  return new TableFit(readSettings(VERB, dimensions, options), 0).take(source).fit()
}

/**
 * Fits a codec to a table that comes in parts: `add` rows, `merge` parts, then `fit`.
 *
 * Options: as `fitCodec`; `first` says where a part stands, for parts that are merged.
 *
 * @throws TypeError and RangeError as `fitCodec`
 */
export function createCodecFit(dimensions: number, options: CodecFitOptions = {}): CodecFit {
  checkInteger('createCodecFit', 'dimensions', dimensions, 1, MOST_DIMENSIONS)
  const { first = 0, ...rest } = options
  checkInteger('createCodecFit', 'first', first, 0, Number.MAX_SAFE_INTEGER)
  return new TableFit(readSettings('createCodecFit', dimensions, rest, ['first']), first)
}

/** The options, read and checked. */
interface FitSettings {
  readonly dimensions: number
  readonly fitter: AnyFitter
  readonly metric: Metric
  readonly seed: number
  readonly bits: number | undefined
  readonly bytes: number | undefined
  readonly truncate: number
  readonly pca: number | undefined
  readonly keep: number
  readonly method: MethodOptions
}

function readSettings(
  verb: string,
  dimensions: number,
  options: CodecOptions,
  more: readonly string[] = []
): FitSettings {
  if (dimensions > MOST_DIMENSIONS) {
    throw rangeError(
      `${verb}: expected vectors of at most ${MOST_DIMENSIONS} dimensions, got ${dimensions}; truncate them, or split them`
    )
  }
  if (typeof options !== 'object' || options === null) checkOptions(verb, options, COMMON)
  const name = checkChoice(verb, 'method', options.method ?? 'turbo', METHODS)
  const fitter = fitterOf(name)
  checkOptions(verb, options, [...COMMON, ...more, ...fitter.options])
  const { bits, bytes, metric = 'cosine', seed = 0, truncate = dimensions, pca } = options
  if (bits !== undefined && bytes !== undefined) {
    throw typeError(`${verb}: expected at most one of bits, bytes, got both`)
  }
  if (bits !== undefined) checkBits(verb, fitter, bits)
  if (bytes !== undefined) checkInteger(verb, 'bytes', bytes, 1, Infinity)
  checkChoice(verb, 'metric', metric, METRICS)
  checkInteger(verb, 'seed', seed, 0, Number.MAX_SAFE_INTEGER)
  checkInteger(verb, 'truncate', truncate, 1, dimensions)
  if (pca !== undefined) checkInteger(verb, 'pca', pca, 1, truncate)
  const most = Math.max(1, Math.min(KEPT_ROWS, Math.floor(KEPT_BYTES / 4 / truncate)))
  const { keep = most } = options
  checkInteger(verb, 'keep', keep, 1, Infinity)
  const method = Object.fromEntries(
    Object.entries(options).filter(([option, value]) => fitter.options.includes(option) && value !== undefined)
  ) as MethodOptions
  return { dimensions, fitter, metric, seed, bits, bytes, truncate, pca, keep, method }
}

function checkBits(verb: string, { method, bits: known }: Pick<Fitter, 'method' | 'bits'>, bits: unknown): void {
  if (typeof bits === 'number' && known.includes(bits)) return
  const list = known.length === 1 ? `${known[0]}` : `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`
  const text = `${verb}: "bits" expected ${list} for method ${method}, got ${show(bits)}`
  throw typeof bits === 'number' ? rangeError(text) : typeError(text)
}

interface Range {
  readonly first: number
  readonly end: number
}

const rowsText = ({ first, end }: Range): string => (end - first === 1 ? `row ${first}` : `rows ${first} to ${end - 1}`)

class TableFit implements CodecFit {
  private readonly rows: RowSample
  private readonly gram: Gram | undefined
  private ranges: readonly Range[] = []

  constructor(
    private readonly settings: FitSettings,
    private readonly start: number
  ) {
    const { truncate, seed, keep, pca, metric } = settings
    this.rows = new RowSample(truncate, keep, seed)
    if (pca !== undefined) this.gram = createGram(truncate, { center: metric === 'l2', first: start })
  }

  get dimensions(): number {
    return this.settings.dimensions
  }

  get count(): number {
    return this.ranges.reduce((sum, { first, end }) => sum + (end - first), 0)
  }

  add(vectors: VectorsLike): this {
    return this.take(vectorsOf('add', vectors, 'vectors', this.dimensions))
  }

  take(source: Vectors): this {
    const { dimensions, metric, truncate } = this.settings
    const [count] = source.shape
    if (count === 0) return this
    const first = this.ranges.at(-1)?.end ?? this.start
    if (count > Number.MAX_SAFE_INTEGER - first) {
      throw rangeError(`${source.name} expected fewer rows than ${Number.MAX_SAFE_INTEGER - first}, got ${count}`)
    }
    const front = createFront(dimensions, metric, truncate)
    const engine = defaultEngine()
    const step = batchRows(dimensions)
    const eachBatch = (visit: (rows: Pointer, from: number, some: number) => void): void =>
      frame(engine, (memory) => {
        const loaded = front.load(engine)
        const batch = memory.alloc(4 * Math.min(step, count) * truncate)
        for (let from = 0; from < count; from += step) {
          const some = Math.min(step, count - from)
          loaded.apply(batch, source, from, some)
          visit(batch, from, some)
        }
      })
    // All rows are checked before the first is taken. One batch is checked as it is taken.
    if (count > step) eachBatch(() => undefined)
    eachBatch((batch, from, some) => {
      this.rows.add(engine, batch, first + from, some)
      if (this.gram) {
        const data = engine.memory.f32(batch, some * truncate).slice()
        this.gram.add({ data, shape: [some, truncate] })
      }
    })
    this.ranges = joined([...this.ranges, { first, end: first + count }])
    return this
  }

  merge(other: CodecFit): this {
    if (!(other instanceof TableFit)) {
      throw typeError(`merge: "other" expected a CodecFit (of createCodecFit), got ${show(other)}`)
    }
    const [mine, theirs] = [this.settings, other.settings].map(({ fitter, ...rest }) =>
      JSON.stringify({ ...rest, method: fitter.method, options: rest.method })
    )
    if (mine !== theirs) {
      throw rangeError('merge: "other" expected a CodecFit of the same dimension and options, got one of others')
    }
    for (const a of this.ranges) {
      for (const b of other.ranges) {
        const both = { first: Math.max(a.first, b.first), end: Math.min(a.end, b.end) }
        if (both.first < both.end) {
          throw rangeError(
            `merge: "other" has ${rowsText(both)}, which are here already; give each part its own place by "first"`
          )
        }
      }
    }
    this.rows.merge(other.rows)
    if (this.gram) this.gram.merge(other.gram!)
    this.ranges = joined([...this.ranges, ...other.ranges])
    return this
  }

  fit(): Codec {
    const [range, next] = this.ranges
    if (!range) throw rangeError('fit: expected at least one row; add some first')
    if (next) {
      throw rangeError(
        `fit: expected all rows from ${range.first} on, but ${rowsText({ first: range.end, end: next.first })} are missing; add or merge them`
      )
    }
    const front = this.front()
    const { metric, seed } = this.settings
    const engine = createFitEngine()
    const quantizer = frame(engine, (memory) => {
      const { data, count } = this.rows.take()
      const rows = memory.alloc(4 * count * front.width)
      // The rows that are kept have been truncated already.
      const rest = createFront(front.truncate, metric, front.truncate, front.components, front.mean).load(engine)
      const source = { name: `${VERB}: "sample"`, data, shape: [count, front.truncate], size: data.length }
      const step = batchRows(front.width)
      for (let i = 0; i < count; i += step) {
        rest.apply(rows + 4 * i * front.width, source, i, Math.min(step, count - i))
      }
      return this.quantizer(engine, { rows, count, dimensions: front.width, metric, total: this.count, seed })
    })
    return codecOf({ front, quantizer, seed }, coding)
  }

  private front(): Front {
    const { dimensions, metric, truncate, pca } = this.settings
    if (pca === undefined) return createFront(dimensions, metric, truncate)
    const { v, mean } = this.gram!.pca({ rank: pca }) as { v: Tensor; mean: Tensor }
    return createFront(dimensions, metric, truncate, v, metric === 'l2' ? mean : undefined)
  }

  private quantizer(engine: FitEngine, sample: Sample): Quantizer {
    const { fitter, bits, bytes, method } = this.settings
    if (bytes === undefined) {
      return fitter.fit(engine, sample, {
        ...method,
        bits: bits ?? fitter.usual ?? (fitter.bits.includes(2) ? 2 : fitter.bits[0]!)
      })
    }
    const sizes: number[] = []
    if (fitter.choices) {
      const all = fitter.bits.flatMap((each) => fitter.choices!(sample, { ...method, bits: each }))
      let best: (typeof all)[number] | undefined
      for (const choice of all) {
        sizes.push(choice.bytes)
        if (choice.bytes <= bytes && (!best || choice.bytes > best.bytes)) best = choice
      }
      if (best) return fitter.fit(engine, sample, best.options)
    } else {
      for (const each of [...fitter.bits].sort((a, b) => b - a)) {
        const quantizer = fitter.fit(engine, sample, { ...method, bits: each })
        sizes.push(rowBytes(quantizer.layout))
        if (sizes.at(-1)! <= bytes) return quantizer
      }
    }
    throw rangeError(
      `${VERB}: "bytes" expected at least ${Math.min(...sizes)} for ${sample.dimensions} dimensions and method ${fitter.method}, got ${bytes}; ` +
        'truncate or pca make rows shorter'
    )
  }
}

/** Ranges in order; those that touch become one. */
function joined(ranges: readonly Range[]): Range[] {
  const out: Range[] = []
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = out.at(-1)
    if (last?.end === range.first) out[out.length - 1] = { first: last.first, end: range.end }
    else out.push(range)
  }
  return out
}

import { rangeError, typeError } from '../../core/errors.js'
import { checkChoice, checkInteger, checkNumber, checkOptions, checkPositive, show } from '../../core/check.js'
import { candidatesFor, LEAST_TRAINED, nameOf, TRAINED, type Candidate, type Settings } from './candidates.js'
import type { Codec } from '../codec/codec.js'
import type { Interval } from './evaluate.js'
import { fitCodec } from '../codec/fit/fitCodec.js'
import { sampleRows } from './heldOut.js'
import type { PlotPoint } from './plot.js'
import { METHODS, type Method, type Metric } from '../codec/quantizer.js'
import { checkFinite, gathered, rowsAt, type Rows } from './recall.js'
import { exactTrial, Trials, type Trial } from './trials.js'
import { vectorsOf, type VectorsLike } from '../vectors/vectors.js'

export interface ChooseOptions {
  /** the least recall; give this or one of the next two */
  recall?: number
  /** the most bytes of a vector's codes, tables not counted */
  bytesPerVector?: number
  /** the most bytes of all codes and tables */
  totalBytes?: number
  /** default 'cosine' */
  metric?: Metric
  /** neighbours of each query; default 10 */
  k?: number
  /** default 0 */
  seed?: number
  /** what is tried; default all but opq and residual, which take long to fit */
  methods?: readonly Method[]
  /** what may be used, 1: the codes alone; default [1, 3], 3 meaning that the best 3 k are rescored by originals that are kept somewhere */
  oversampling?: number | readonly number[]
  /** where originals are kept beside the codes for rescoring: their bytes count, and what they lose; default: whole ones elsewhere */
  originals?: 'float32' | 'float16' | 'int8'
  /** of the intervals; default .95 */
  confidence?: number
  /** rows of the table that the vectors are a sample of; default as many as there are */
  rows?: number
}

/** A codec that was tried, at one oversampling. */
export interface ChoiceRow extends PlotPoint, Settings {
  readonly method: Method
  readonly label: string
  readonly oversampling: number
  readonly recall: number
  readonly interval: Interval
  /** of these the recall is the mean; what falls short early is asked fewer */
  readonly queries: number
  /** rows that were searched */
  readonly searched: number
  readonly tableBytes: number
  /** of codes, tables and originals where they are kept */
  readonly totalBytes: number
  /** no other has as much recall in fewer bytes */
  readonly best: boolean
  readonly chosen: boolean
}

export interface Choice {
  codec: Codec
  /** what fitCodec was called with */
  settings: Settings
  /** 1: the codes alone; more: search with this, and rescore */
  oversampling: number
  recall: number
  interval: Interval
  bytesPerVector: number
  totalBytes: number
  /** float32's bytes over totalBytes */
  ratio: number
  /** all that was tried, by size */
  table: ChoiceRow[]
}

/** Queries that are held out; more where the recall is so close to 1 that all of them could find all by chance. */
const QUERIES = 500
const MOST_QUERIES = 5000
/** Expected misses among the queries of a codec that is just short of the target. */
const MISSES = 8
const LEAST_ROWS = 20
const QUICK = METHODS.filter((method) => method !== 'opq')
/** Rows that code books are trained on at first, and what more of them could add to the recall. */
const TRAINING = 4096
const TRAINING_ADDS = 0.06
const OPTIONS = [
  ...['recall', 'bytesPerVector', 'totalBytes', 'metric', 'k', 'seed', 'methods'],
  ...['oversampling', 'originals', 'confidence', 'rows']
]

/**
 * Finds the cheapest codec that holds a recall, or the one that finds most in so many bytes: methods, bits, centroids, fewer numbers of each
 * vector, and rescoring are tried on vectors (n, d), of which 500, or more where the recall is close to 1, are held out as queries.
 *
 * A codec holds a recall where the lower end of its interval does. With `recall`, the fewest bytes of codes and tables win; what cannot be
 * smaller than a codec that holds it is not tried. With bytes, the highest recall of the codes alone wins. Of many vectors a sample of 2^24 numbers is
 * searched: neighbours are easier to find in it than among all, so that what falls short there is left, and what wins there is measured among all
 * before it counts. The codec is the one that was measured; it has not seen the queries.
 *
 * Method: successive halving (K. Jamieson and A. Talwalkar, AISTATS 2016): a quarter of the queries first, all for those that may still win. Of
 * several that are close to the target the one chosen is, on average, lucky: `evaluate` with other queries says by how much.
 *
 * @throws TypeError for none or several of recall, bytesPerVector, totalBytes
 * @throws RangeError where nothing that was tried reaches the target, naming the best; for fewer than 20 vectors, or where they are not finite
 */
export function chooseCodec(vectors: VectorsLike, options: ChooseOptions): Choice {
  const goal = checkGoal(options)
  const all = vectorsOf('chooseCodec', vectors)
  checkFinite(all)
  const [count, dimensions] = all.shape
  if (count < LEAST_ROWS) {
    throw rangeError(`chooseCodec: "vectors" expected at least ${LEAST_ROWS}, got ${count}; with so few, keep float32`)
  }
  const rows = checkInteger('chooseCodec', 'rows', options.rows ?? count, count, 2 ** 40)
  const wanted = Math.max(QUERIES, goal.kind === 'recall' ? Math.ceil(MISSES / Math.max(1e-9, 1 - goal.value)) : 0)
  const queries = Math.min(wanted, MOST_QUERIES, Math.floor(count / 5))
  const possible = candidatesFor(dimensions, count - queries, goal.methods, Infinity)
  if (possible.length === 0) {
    throw rangeError(
      `chooseCodec: "methods" expected one that ${count - queries} vectors of ${dimensions} numbers are enough for, got ` +
        `${goal.methods.join(', ')}, which need ${LEAST_TRAINED}; allow others, such as turbo`
    )
  }
  const search = new Search(goal, rows, dimensions, new Trials(all, { ...goal, queries }))
  const most = goal.kind === 'recall' ? Infinity : goal.kind === 'totalBytes' ? goal.value / rows : goal.value
  const candidates = candidatesFor(dimensions, count - queries, goal.methods, most)
  // For a recall the smallest first, for a size the largest: what comes early then rules out most of what follows.
  if (goal.kind !== 'recall') candidates.reverse()
  for (const candidate of candidates) search.meet(candidate)
  // The error says what would be enough.
  for (const candidate of possible) if (candidate.codeBytes > most && search.lacks(candidate)) search.meet(candidate)
  return search.choice()
}

interface Goal {
  kind: 'recall' | 'bytesPerVector' | 'totalBytes'
  value: number
  metric: Metric
  k: number
  seed: number
  methods: readonly Method[]
  oversampling: number[]
  originals?: ChooseOptions['originals']
  confidence: number
}

function checkGoal(options: ChooseOptions): Goal {
  const verb = 'chooseCodec'
  checkOptions(verb, options, OPTIONS)
  const kinds = (['recall', 'bytesPerVector', 'totalBytes'] as const).filter((name) => options[name] !== undefined)
  const [kind] = kinds
  if (kinds.length !== 1) {
    throw typeError(
      `${verb}: "options" expected one of recall, bytesPerVector, totalBytes, got ${kinds.join(' and ') || 'none of them'}`
    )
  }
  const value =
    kind === 'recall' ? checkNumber(verb, kind, options.recall, 0, 1) : checkPositive(verb, kind!, options[kind!])
  const { methods = QUICK, oversampling = [1, 3], originals } = options
  const formats = ['float32', 'float16', 'int8'] as const
  if (!Array.isArray(methods) || methods.length === 0) {
    throw typeError(`${verb}: "methods" expected a list of ${METHODS.join(', ')}, got ${show(methods)}`)
  }
  const times: unknown = typeof oversampling === 'number' ? [oversampling] : oversampling
  if (!Array.isArray(times) || times.length === 0) {
    throw typeError(`${verb}: "oversampling" expected a number or a list of them, got ${show(oversampling)}`)
  }
  return {
    kind: kind!,
    value,
    metric: checkChoice(verb, 'metric', options.metric ?? 'cosine', ['cosine', 'dot', 'l2']),
    k: checkInteger(verb, 'k', options.k ?? 10, 1, 1000),
    seed: checkInteger(verb, 'seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
    methods: methods.map((method) => checkChoice(verb, 'methods', method, METHODS)),
    oversampling: times.map((each) => checkNumber(verb, 'oversampling', each, 1, 100)).sort((a, b) => a - b),
    originals: originals === undefined ? undefined : checkChoice(verb, 'originals', originals, formats),
    confidence: checkNumber(verb, 'confidence', options.confidence ?? 0.95, 0.5, 0.999999)
  }
}

/** A codec at one oversampling, with what it costs. */
interface Entry {
  codec: Codec
  settings: Settings
  trial: Trial
  totalBytes: number
}

/** What was tried so far, and what has won. */
class Search {
  private readonly entries: Entry[] = []
  private winner?: Entry
  private readonly ceilings = new Map<string, Trial[]>()
  /** the least that was too large */
  private smallest?: Entry

  constructor(
    private readonly goal: Goal,
    private readonly rows: number,
    private readonly dimensions: number,
    private readonly trials: Trials
  ) {}

  /** Tries a candidate, unless it cannot win. */
  meet({ settings, codeBytes, tableBytes }: Candidate): void {
    const { goal, rows, winner, trials } = this
    if (goal.kind === 'recall' && winner && rows * codeBytes + tableBytes >= winner.totalBytes) return
    if ((settings.pca || settings.truncate) && !this.reaches(settings)) return
    const count = trials.base.shape[0]!
    if (TRAINED.includes(settings.method) && count > TRAINING) {
      const few = this.enter(settings, gathered(trials.base, sampleRows(count, TRAINING, goal.seed, 5)), TRAINING_ADDS)
      if (this.hopeless(few, TRAINING_ADDS)) return
      this.entries.splice(this.entries.length - few.length)
    }
    this.challenge(this.enter(settings, trials.base))
  }

  /** Whether nothing that is allowed was found, and this could be smaller than all that was too large. */
  lacks({ codeBytes, tableBytes }: Candidate): boolean {
    const { winner, smallest, goal, rows } = this
    const least = goal.kind === 'totalBytes' ? rows * codeBytes + tableBytes : codeBytes
    return !winner && (!smallest || least < this.sizeOf(smallest))
  }

  /** What the bytes that are allowed are compared with. */
  private sizeOf({ codec, totalBytes }: Pick<Entry, 'codec' | 'totalBytes'>): number {
    return this.goal.kind === 'totalBytes' ? totalBytes : codec.bytesPerVector
  }

  /** Whether fewer numbers could win if nothing else were lost: their recall in float32, which what is coded stays below. */
  private reaches({ truncate, pca }: Settings): boolean {
    const { ceilings, trials, goal } = this
    const key = `${truncate} ${pca}`
    let ceiling = ceilings.get(key)
    if (!ceiling) {
      const codec = this.fit({ method: 'float32', bits: 32, ...(pca ? { pca } : { truncate }) }, trials.base)
      ceiling = trials.ofFew(codec)
      ceilings.set(key, ceiling)
    }
    const [first] = ceiling
    if (goal.kind === 'recall') return ceiling.some(({ interval }) => interval[1] >= goal.value)
    return !this.winner || first!.interval[1] >= this.rank(this.winner.codec)
  }

  private fit(settings: Settings, sample: Rows): Codec {
    const { metric, seed } = this.goal
    return fitCodec(rowsAt(sample, 0, sample.shape[0]!), { ...settings, metric, seed })
  }

  /** Fits a codec and tries it: an entry for each oversampling whose bytes are allowed. */
  private enter(settings: Settings, sample: Rows, margin = 0): Entry[] {
    const { goal, trials } = this
    const codec = this.fit(settings, sample)
    const entriesOf = (found: readonly Trial[]): Entry[] =>
      found
        .map((trial) => ({ codec, settings, trial, totalBytes: this.costOf(codec, trial.oversampling) }))
        .filter((entry) => this.fits(entry))
    const nothing = goal.oversampling.map((oversampling) => exactTrial(oversampling, trials))
    if (entriesOf(nothing).length === 0) {
      const entry = { codec, settings, trial: nothing[0]!, totalBytes: this.costOf(codec, goal.oversampling[0]!) }
      if (!this.smallest || this.sizeOf(entry) < this.sizeOf(this.smallest)) this.smallest = entry
      return []
    }
    const isWhole = settings.method === 'float32' && !settings.truncate && !settings.pca
    const measured =
      isWhole && this.rescoresExactly ? nothing : trials.of(codec, (first) => this.hopeless(entriesOf(first), margin))
    const found = isWhole ? measured.map((trial, i) => (trial.oversampling === 1 ? nothing[i]! : trial)) : measured
    const entries = entriesOf(found)
    this.entries.push(...entries)
    return entries
  }

  /** Whether candidates are rescored by vectors as they are. */
  private get rescoresExactly(): boolean {
    return (this.goal.originals ?? 'float32') === 'float32'
  }

  private costOf({ bytesPerVector, tableBytes }: Codec, oversampling: number): number {
    const { rows, dimensions, goal } = this
    const kept = { float32: 4 * dimensions, float16: 2 * dimensions, int8: dimensions + 8 }
    const originals = goal.originals && oversampling > 1 ? kept[goal.originals] : 0
    return rows * (bytesPerVector + originals) + tableBytes
  }

  private fits(entry: Entry): boolean {
    const { kind, value } = this.goal
    return kind === 'recall' || this.sizeOf(entry) <= value
  }

  /** Whether entries of one codec are surely below what is asked for, or what was found already. */
  private hopeless(entries: readonly Entry[], margin: number): boolean {
    const { goal, winner } = this
    const reaches = ({ trial }: Entry, recall: number): boolean => trial.interval[1] + margin >= recall
    if (goal.kind === 'recall') return !entries.some((entry) => reaches(entry, goal.value))
    return entries.length === 0 || (winner !== undefined && !reaches(entries[0]!, this.rank(winner.codec)))
  }

  /** By what codecs of the bytes that are allowed are compared: the recall of the codes alone, or with the least rescoring. */
  private rank(codec: Codec): number {
    return this.entries.find((entry) => entry.codec === codec)!.trial.recall
  }

  /** Lets entries of one codec win. */
  private challenge(entries: readonly Entry[]): void {
    const { goal, winner, trials } = this
    if (entries.length === 0) return
    if (goal.kind !== 'recall') {
      if (winner && this.rank(entries[0]!.codec) <= this.rank(winner.codec)) return
      // Rescoring by originals of few bits can find less than good codes alone.
      this.winner = entries.reduce((a, b) => (b.trial.recall >= a.trial.recall ? b : a))
      return
    }
    const most = winner ? winner.totalBytes : Infinity
    const holds = (): Entry | undefined =>
      entries
        .filter(({ trial, totalBytes }) => trial.interval[0] >= goal.value && totalBytes < most)
        .sort((a, b) => a.totalBytes - b.totalBytes)[0]
    if (!holds()) return
    if (trials.partial) this.measureAmongAll(entries)
    this.winner = holds() ?? winner
  }

  private measureAmongAll(entries: readonly Entry[]): void {
    const isWhole = entries[0]!.settings.method === 'float32'
    if (isWhole && this.rescoresExactly) return
    const found = this.trials.ofWhole(entries[0]!.codec)
    for (const entry of entries) {
      const { oversampling } = entry.trial
      if (!isWhole || oversampling > 1) entry.trial = found.find((trial) => trial.oversampling === oversampling)!
    }
  }

  choice(): Choice {
    const { goal, winner, trials, rows, dimensions, entries } = this
    if (!winner) throw this.unreachable()
    if (goal.kind !== 'recall' && trials.partial) {
      this.measureAmongAll(entries.filter(({ codec }) => codec === winner.codec))
    }
    const { codec, settings, trial, totalBytes } = winner
    return {
      codec,
      settings,
      oversampling: trial.oversampling,
      recall: trial.recall,
      interval: trial.interval,
      bytesPerVector: codec.bytesPerVector,
      totalBytes,
      ratio: (4 * rows * dimensions) / totalBytes,
      table: this.table()
    }
  }

  private table(): ChoiceRow[] {
    const { entries, winner } = this
    const sorted = [...entries].sort(
      (a, b) => a.totalBytes - b.totalBytes || a.trial.oversampling - b.trial.oversampling
    )
    return sorted.map((entry) => {
      const { codec, settings, trial, totalBytes } = entry
      const { oversampling, recall } = trial
      const isBeaten = sorted.some(
        (other) =>
          other.trial.oversampling === oversampling &&
          other.totalBytes <= totalBytes &&
          (other.trial.recall > recall || (other.trial.recall === recall && other.totalBytes < totalBytes))
      )
      return {
        ...settings,
        label: nameOf(settings),
        bytesPerVector: codec.bytesPerVector,
        tableBytes: codec.tableBytes,
        totalBytes,
        ...trial,
        best: !isBeaten,
        chosen: entry === winner
      }
    })
  }

  private unreachable(): RangeError {
    const { goal, entries, smallest } = this
    if (goal.kind === 'recall') {
      const best = entries.reduce((a, b) => (b.trial.interval[0] > a.trial.interval[0] ? b : a))
      const { recall, interval, oversampling } = best.trial
      const rescored = oversampling > 1 ? `, the best ${oversampling} k rescored` : ''
      return rangeError(
        `chooseCodec: "recall" expected at most ${interval[0].toFixed(4)}, got ${goal.value}; the best is ${nameOf(best.settings)}` +
          `${rescored}: ${recall.toFixed(4)}, from ${interval[0].toFixed(4)} to ${interval[1].toFixed(4)}; ` +
          'allow other methods or more oversampling, or give more vectors, which narrows the interval'
      )
    }
    return rangeError(
      `chooseCodec: "${goal.kind}" expected at least ${this.sizeOf(smallest!)}, which ${nameOf(smallest!.settings)} takes, got ${goal.value}`
    )
  }
}

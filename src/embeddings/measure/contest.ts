import type { Codec } from '../codec/codec.js'
import { fitCodec } from '../codec/fit/fitCodec.js'
import { TRAINED, type Candidate, type Settings } from './candidates.js'
import { choiceOf, recallError, sizeError, type Choice } from './choice.js'
import type { Costs, Entry } from './costs.js'
import type { Goal } from './goal.js'
import { sampleRows } from './heldOut.js'
import { gathered, rowsAt, type Table } from './table.js'
import { exactTrial, type Trial, type Trials } from './trials.js'

/** Rows that code books are trained on at first, and what more of them could add to the recall. */
const TRAINING = 4096
const TRAINING_ADDS = 0.06

/**
 * Candidates that meet one after the other. What always holds:
 * - `entries` are those whose bytes are allowed, at most one for each codec and oversampling;
 * - the winner is one of them: for a recall the cheapest that holds it, for a size the one that finds most;
 * - `smallest` is the smallest of those that were too large.
 */
export class Contest {
  private readonly entries: Entry[] = []
  private winner?: Entry
  private smallest?: Entry
  /** the recall of fewer numbers in float32, by how they are fewer */
  private readonly ceilings = new Map<string, Trial[]>()
  private readonly goal: Goal

  constructor(
    private readonly costs: Costs,
    private readonly trials: Trials
  ) {
    this.goal = costs.goal
  }

  /** Tries a candidate, unless it cannot win. */
  meet({ settings, codeBytes, tableBytes }: Candidate): void {
    const { goal, costs, winner, trials } = this
    if (goal.kind === 'recall' && winner && costs.rows * codeBytes + tableBytes >= winner.totalBytes) return
    if ((settings.pca || settings.truncate) && !this.reaches(settings)) return
    const count = trials.base.shape[0]!
    if (TRAINED.includes(settings.method) && count > TRAINING) {
      const few = this.enter(settings, gathered(trials.base, sampleRows(count, TRAINING, goal.seed, 5)), TRAINING_ADDS)
      if (this.isHopeless(few, TRAINING_ADDS)) return
      this.entries.splice(this.entries.length - few.length)
    }
    this.challenge(this.enter(settings, trials.base))
  }

  /** Whether nothing that is allowed was found, and this could be smaller than all that was too large. */
  lacks({ codeBytes, tableBytes }: Candidate): boolean {
    const { winner, smallest, goal, costs } = this
    const least = goal.kind === 'totalBytes' ? costs.rows * codeBytes + tableBytes : codeBytes
    return !winner && (!smallest || least < costs.sizeOf(smallest))
  }

  /** The winner. Throws RangeError where there is none, which says what would be enough. */
  choice(): Choice {
    const { goal, winner, trials, entries, smallest, costs } = this
    if (!winner) throw goal.kind === 'recall' ? recallError(goal.value, entries) : sizeError(smallest!, costs)
    if (goal.kind !== 'recall' && trials.partial) {
      this.measureAmongAll(entries.filter(({ codec }) => codec === winner.codec))
    }
    return choiceOf(winner, entries, costs)
  }

  /**
   * Whether fewer numbers could win if nothing else were lost: their recall in float32, which what is coded stays
   * below.
   */
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

  private fit(settings: Settings, sample: Table): Codec {
    const { metric, seed } = this.goal
    return fitCodec(rowsAt(sample, 0, sample.shape[0]!), { ...settings, metric, seed })
  }

  /** Fits a codec and tries it: an entry for each oversampling whose bytes are allowed. */
  private enter(settings: Settings, sample: Table, margin = 0): Entry[] {
    const { goal, trials, costs } = this
    const codec = this.fit(settings, sample)
    const entryOf = (trial: Trial): Entry => {
      return { codec, settings, trial, totalBytes: costs.totalOf(codec, trial.oversampling) }
    }
    const allowed = (found: readonly Trial[]): Entry[] => found.map(entryOf).filter((entry) => costs.isAllowed(entry))

    const lossless = goal.oversampling.map((oversampling) => exactTrial(oversampling, trials))
    if (allowed(lossless).length === 0) {
      const entry = entryOf(lossless[0]!)
      if (!this.smallest || costs.sizeOf(entry) < costs.sizeOf(this.smallest)) this.smallest = entry
      return []
    }
    const entries = allowed(this.measured(settings, codec, lossless, (few) => this.isHopeless(allowed(few), margin)))
    this.entries.push(...entries)
    return entries
  }

  /** The trials of a codec; whole vectors lose nothing, so that they are tried only by what rescores them. */
  private measured(
    { method, truncate, pca }: Settings,
    codec: Codec,
    lossless: Trial[],
    isHopeless: (few: readonly Trial[]) => boolean
  ): Trial[] {
    const isWhole = method === 'float32' && !truncate && !pca
    if (isWhole && this.rescoresExactly) return lossless
    const found = this.trials.of(codec, isHopeless)
    return isWhole ? found.map((trial, i) => (trial.oversampling === 1 ? lossless[i]! : trial)) : found
  }

  /** Whether candidates are rescored by vectors as they are. */
  private get rescoresExactly(): boolean {
    return (this.goal.originals ?? 'float32') === 'float32'
  }

  /** Whether entries of one codec are surely below what is asked for, or what was found already. */
  private isHopeless(entries: readonly Entry[], margin: number): boolean {
    const { goal, winner } = this
    const reaches = ({ trial }: Entry, recall: number): boolean => trial.interval[1] + margin >= recall
    if (goal.kind === 'recall') return !entries.some((entry) => reaches(entry, goal.value))
    return entries.length === 0 || (winner !== undefined && !reaches(entries[0]!, this.rank(winner.codec)))
  }

  /**
   * Codecs of the bytes that are allowed are compared by the recall of the codes alone, or with the least rescoring.
   */
  private rank(codec: Codec): number {
    return this.entries.find((entry) => entry.codec === codec)!.trial.recall
  }

  /** Lets entries of one codec win. */
  private challenge(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    if (this.goal.kind === 'recall') this.challengeBySize(entries)
    else this.challengeByRecall(entries)
  }

  private challengeByRecall(entries: readonly Entry[]): void {
    const { winner } = this
    if (winner && this.rank(entries[0]!.codec) <= this.rank(winner.codec)) return
    // Rescoring by originals of few bits can find less than good codes alone.
    this.winner = entries.reduce((a, b) => (b.trial.recall >= a.trial.recall ? b : a))
  }

  private challengeBySize(entries: readonly Entry[]): void {
    const { goal, winner, trials } = this
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
}

import { rangeError } from '../../core/errors.js'
import type { Codec } from '../codec/codec.js'
import type { Method } from '../codec/quantizer.js'
import { nameOf, type Settings } from './candidates.js'
import type { Costs, Entry } from './costs.js'
import type { Interval } from './interval.js'
import type { PlotPoint } from './plot.js'

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

/** The winner, and all that was tried. */
export function choiceOf(winner: Entry, entries: readonly Entry[], { rows, dimensions }: Costs): Choice {
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
    table: tableOf(winner, entries)
  }
}

function tableOf(winner: Entry, entries: readonly Entry[]): ChoiceRow[] {
  const sorted = [...entries].sort((a, b) => a.totalBytes - b.totalBytes || a.trial.oversampling - b.trial.oversampling)
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

/** No codec holds the recall: names the best. */
export function recallError(wanted: number, entries: readonly Entry[]): RangeError {
  const { settings, trial } = entries.reduce((a, b) => (b.trial.interval[0] > a.trial.interval[0] ? b : a))
  const { recall, interval, oversampling } = trial
  const [low, high] = interval.map((end) => end.toFixed(4))
  const rescored = oversampling > 1 ? `, the best ${oversampling} k rescored` : ''
  return rangeError(
    `chooseCodec: "recall" expected at most ${low}, got ${wanted}; the best is ${nameOf(settings)}${rescored}: ` +
      `${recall.toFixed(4)}, from ${low} to ${high}; ` +
      'allow other methods or more oversampling, or give more vectors, which narrows the interval'
  )
}

/** All codecs are too large: names the smallest. */
export function sizeError(smallest: Entry, costs: Costs): RangeError {
  const { kind, value } = costs.goal
  return rangeError(
    `chooseCodec: "${kind}" expected at least ${costs.sizeOf(smallest)}, which ${nameOf(smallest.settings)} takes, got ${value}`
  )
}

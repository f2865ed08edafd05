import type { Codec } from '../codec/codec.js'
import type { Settings } from './candidates.js'
import type { Goal } from './goal.js'
import type { Trial } from './trials.js'

/** A codec at one oversampling, with what it costs. */
export interface Entry {
  readonly codec: Codec
  readonly settings: Settings
  /** replaced where the codec is measured again among all rows */
  trial: Trial
  readonly totalBytes: number
}

/** What codecs cost, for a table of `rows` rows. */
export class Costs {
  constructor(
    readonly goal: Goal,
    readonly rows: number,
    readonly dimensions: number
  ) {}

  /** Bytes of codes, tables and the originals that are kept for rescoring. */
  totalOf({ bytesPerVector, tableBytes }: Codec, oversampling: number): number {
    const { rows, dimensions, goal } = this
    const kept = { float32: 4 * dimensions, float16: 2 * dimensions, int8: dimensions + 8 }
    const originals = goal.originals && oversampling > 1 ? kept[goal.originals] : 0
    return rows * (bytesPerVector + originals) + tableBytes
  }

  /** What the bytes that are allowed are compared with. */
  sizeOf({ codec, totalBytes }: Pick<Entry, 'codec' | 'totalBytes'>): number {
    return this.goal.kind === 'totalBytes' ? totalBytes : codec.bytesPerVector
  }

  isAllowed(entry: Entry): boolean {
    const { kind, value } = this.goal
    return kind === 'recall' || this.sizeOf(entry) <= value
  }
}

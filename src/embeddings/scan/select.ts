import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { selectScores } from './kernelCalls.js'

/**
 * Room for so many candidates is the least: small buffers are sorted out often, and their threshold is soon a good one.
 */
const LEAST_CAPACITY = 64

/** Which rows of a tile take part, and what they are called. */
export interface TileOptions {
  /** u32 for each block of 32: a bit for each row that counts; 0: all do */
  masks?: Pointer
  /** u32 for each row; 0: `first` + row */
  ids?: Pointer
  /** id of the tile's first row; default 0 */
  first?: number
}

export interface Best {
  readonly ids: Uint32Array<ArrayBuffer>
  readonly scores: Float32Array<ArrayBuffer>
}

/**
 * The k best of scores that come in tiles, in total order: by score from the greatest, then by id from the least.
 * -0 counts as 0, and scores are not NaN. Its room lives in the frame that is open when it is made.
 * Method: a buffer of 4 k; when it is full, a quickselect leaves the k best, and only what exceeds the k-th is taken
 * from then on.
 */
export class TopK {
  private readonly capacity: number
  private readonly buffer: Pointer
  private readonly state: Pointer
  private filled = 0

  constructor(
    private readonly engine: Engine,
    readonly k: number
  ) {
    this.capacity = Math.max(4 * k, LEAST_CAPACITY)
    this.buffer = engine.memory.alloc(8 * this.capacity)
    this.state = engine.memory.alloc(16)
    this.reset()
  }

  /** Forgets all, for another query. */
  reset(): void {
    this.filled = 0
    this.engine.kernels.clearBytes(this.state, 16)
  }

  /** A score that the k-th best has at least: what is below it cannot enter. -Infinity as long as nothing is known. */
  get threshold(): number {
    return this.engine.kernels.scoreOf(this.state)
  }

  /** Takes scores f32 [rows], in room for whole blocks of 32. */
  add(scores: Pointer, rows: number, { masks = 0, ids = 0, first = 0 }: TileOptions = {}): void {
    if (rows <= 0 || this.k <= 0) return
    const { buffer, state, k, capacity, filled } = this
    const call = { buffer, state, scores, masks, ids, rows, first, k, capacity, filled }
    this.filled = selectScores(this.engine, call)
  }

  /** The best, in order: k, or as many as there are. Adding goes on from here. */
  take(): Best {
    return frame(this.engine, (memory, kernels) => {
      const length = Math.min(this.k, this.filled)
      const ids = memory.alloc(4 * length)
      const scores = memory.alloc(4 * length)
      this.filled = kernels.takeBest(ids, scores, this.buffer, this.k, this.filled)
      return { ids: memory.u32(ids, length).slice(), scores: memory.f32(scores, length).slice() }
    })
  }
}

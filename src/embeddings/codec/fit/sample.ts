import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'

interface Chunk {
  /** places in the whole table, and the random numbers of those places */
  readonly places: Float64Array
  readonly keys: Float64Array
  /** (places, width) */
  readonly rows: Float32Array<ArrayBuffer>
}

/** The stream of random numbers that choose rows. */
const STREAM = 0x20000
/** More rows than are kept may wait, by this share, so that they are sorted rarely. */
const SLACK = 0.25

/**
 * A random sample of a table's rows: those whose places have the least random numbers.
 * The choice depends on the seed and the places alone, not on how rows come in. Parts merge to the sample of the whole.
 *
 * Method: a bottom-k sample (E. Cohen and H. Kaplan, PODC 2007).
 */
export class RowSample {
  private chunks: Chunk[] = []
  private held = 0
  /** rows beyond it are not among the least */
  private limit = Infinity

  constructor(
    private readonly width: number,
    private readonly keep: number,
    private readonly seed: number
  ) {}

  /** rows: f32 (count, width), from this place of the table on. */
  add(engine: Engine, rows: Pointer, first: number, count: number): void {
    const { width } = this
    const keys = frame(engine, (memory, kernels) => {
      const at = memory.alloc(8 * count)
      kernels.randomUniforms(at, count, 1, this.seed, STREAM, first)
      return memory.f64(at, count).slice()
    })
    const places = Float64Array.from(keys, (_, i) => first + i)
    const all = engine.memory.f32(rows, count * width)
    const chosen = keys.every((key) => key <= this.limit)
      ? { keys, places, rows: all.slice() }
      : pick(
          { keys, places, rows: all },
          [...keys.keys()].filter((i) => keys[i]! <= this.limit),
          width
        )
    this.hold([chosen])
  }

  /** Takes in the rows of a sample of other places. */
  merge(other: RowSample): void {
    this.hold(other.chunks)
  }

  /** The rows in the order of their places. */
  take(): { data: Float32Array<ArrayBuffer>; count: number } {
    if (this.held > this.keep || this.chunks.length > 1) this.shrink()
    const { rows } = this.chunks[0]!
    return { data: rows, count: this.held }
  }

  private hold(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      if (chunk.keys.length === 0) continue
      this.chunks.push(chunk)
      this.held += chunk.keys.length
    }
    if (this.held > this.keep * (1 + SLACK)) this.shrink()
  }

  /** Keeps the least, in one chunk, in the order of their places. */
  private shrink(): void {
    const { chunks, width, keep } = this
    const all = chunks.flatMap(({ keys, places }, chunk) =>
      Array.from(keys, (key, i) => ({ key, place: places[i]!, chunk, i }))
    )
    all.sort((a, b) => a.key - b.key || a.place - b.place)
    const least = all.slice(0, keep)
    if (all.length > keep) this.limit = least.at(-1)!.key
    least.sort((a, b) => a.place - b.place)
    const rows = new Float32Array(least.length * width)
    least.forEach(({ chunk, i }, at) => rows.set(chunks[chunk]!.rows.subarray(i * width, (i + 1) * width), at * width))
    this.chunks = [
      { keys: Float64Array.from(least, ({ key }) => key), places: Float64Array.from(least, ({ place }) => place), rows }
    ]
    this.held = least.length
  }
}

function pick({ keys, places, rows }: Chunk, which: readonly number[], width: number): Chunk {
  const out = new Float32Array(which.length * width)
  which.forEach((i, at) => out.set(rows.subarray(i * width, (i + 1) * width), at * width))
  return {
    keys: Float64Array.from(which, (i) => keys[i]!),
    places: Float64Array.from(which, (i) => places[i]!),
    rows: out
  }
}

import { isArrayOf, show } from '../../core/check.js'
import { createEngine, defaultEngine, frame, type Engine } from '../decompositionEngine.js'
import { MemoryLimitError, typeError } from '../../core/errors.js'
import type { Memory } from '../../core/memory.js'
import type { Source, TensorLike } from '../../core/tensor.js'
import { readChunk, StreamRows, type Passes } from './passes.js'

/**
 * A matrix (m, n) that comes by rows, in chunks (r, n) of any heights. It is gathered in memory where m < n and a Gram
 * matrix is made of it, and for targets below an error of 2^-22.
 */
export interface RowStream {
  /** (m, n); without it the rows are counted in one pass more */
  readonly shape?: readonly number[]
  /** called for each pass, and once to look at the first chunk with rows: the same rows each time */
  readonly rows: () => Iterable<TensorLike>
}

/** The same where each chunk has to be waited for. */
export interface AsyncRowStream {
  readonly shape?: readonly number[]
  readonly rows: () => AsyncIterable<TensorLike>
}

/** A stream of known shape; `wide` where its first chunk with rows holds f64. */
export interface Opened {
  readonly rows: StreamRows
  readonly wide: boolean
}

/** Runs work that reads a stream; of an async one, later. */
export function overStream<T>(
  verb: string,
  stream: RowStream | AsyncRowStream,
  work: (engine: Engine, opened: Opened) => Passes<T>
): T | Promise<T> {
  const call = (): unknown => stream.rows()
  const first = call()
  const steps = function* (engine: Engine): Passes<T> {
    return yield* work(engine, yield* open(verb, stream.shape, engine))
  }
  if (isIterable(first, Symbol.iterator)) {
    return frame(defaultEngine(), (memory, kernels) =>
      feed(steps({ memory, kernels }), first as Iterable<unknown>, call as () => Iterable<unknown>)
    )
  }
  if (isIterable(first, Symbol.asyncIterator)) {
    // An engine of its own: other calls come and go in the other one's memory while this one waits.
    return feedLater(steps(createEngine()), first as AsyncIterable<unknown>, call as () => AsyncIterable<unknown>)
  }
  throw typeError(
    `${verb}: "rows" expected a function that returns an iterable of tensors (rows, columns), got one that returns ${show(first)}`
  )
}

function isIterable(value: unknown, symbol: symbol): boolean {
  return typeof (value as Record<symbol, unknown> | null | undefined)?.[symbol] === 'function'
}

function feed<T>(steps: Passes<T>, first: Iterable<unknown>, more: () => Iterable<unknown>): T {
  let chunks: Iterable<unknown> | undefined = first
  let step = steps.next()
  while (!step.done) {
    for (const chunk of chunks ?? more()) if (step.value.take(chunk)) break
    chunks = undefined
    step = steps.next()
  }
  return step.value
}

async function feedLater<T>(
  steps: Passes<T>,
  first: AsyncIterable<unknown>,
  more: () => AsyncIterable<unknown>
): Promise<T> {
  let chunks: AsyncIterable<unknown> | undefined = first
  let step = steps.next()
  while (!step.done) {
    for await (const chunk of chunks ?? more()) if (step.value.take(chunk)) break
    chunks = undefined
    step = steps.next()
  }
  return step.value
}

/** The shape of a stream, and the type of its first chunk with rows: a look at that, or a count of all. */
function* open(verb: string, shape: readonly number[] | undefined, { memory, kernels }: Engine): Passes<Opened> {
  let first: Source | undefined
  let width = shape?.[1]
  let [count, chunks] = [0, 0]
  yield {
    take: (chunk) => {
      const source = readChunk(verb, chunks++, chunk, width)
      width = source.shape[1]!
      if (source.shape[0]! > 0) first ??= source
      count += source.shape[0]!
      return shape !== undefined && first !== undefined
    }
  }
  const [rows, columns] = shape ?? [count, width ?? 0]
  const wide = first !== undefined && isArrayOf(first.data, Float64Array)
  const promised = shape ? '"shape" says' : 'the first pass had'
  return { rows: new StreamRows(memory, kernels, verb, rows!, columns!, promised), wide }
}

/** A matrix that is put together counts as if it stood in the core's memory, beside which it has to fit. */
export function checkWhole({ limit }: Memory, size: number, wide: boolean): void {
  const bytes = (wide ? 8 : 4) * size
  if (bytes > limit) throw new MemoryLimitError(bytes, limit)
}

/** All rows as a matrix in memory. */
export function* gatherRows({ memory }: Engine, verb: string, { rows, wide }: Opened): Passes<Source> {
  const size = rows.rows * rows.columns
  checkWhole(memory, size, wide)
  const data = wide ? new Float64Array(size) : new Float32Array(size)
  yield* rows.pass({
    wide,
    visit: (at, _, start, count) => {
      const length = count * rows.columns
      data.set(wide ? memory.f64(at, length) : memory.f32(at, length), start * rows.columns)
    }
  })
  return { name: `${verb}: "rows"`, data, shape: [rows.rows, rows.columns], size }
}

import { afterAll, expect } from 'vitest'
import * as tersor from '../../src/index.js'
import { createPool } from '../../src/pool/index.js'
import type { Gram } from '../../src/index.js'
import type { Pool, PoolOptions, RunOptions } from '../../src/pool/index.js'
import { expectSameBits, type AnyArray } from './bits.js'
import { ugly } from './quantize.js'
import { index, seeded } from './random.js'
import { sizeOf } from './shapes.js'

/** Elements of the pieces that a pool's work is cut into. */
export const CHUNK = 262144

export type Verb = Exclude<keyof Pool, 'threads' | 'init' | 'close'>

/** A call of a verb as data; values are of any type, right or wrong. */
export interface Call {
  verb: Verb
  args: readonly unknown[]
  options?: unknown
}

type Loose = (...args: unknown[]) => unknown

const withLast = (args: readonly unknown[], last: unknown): unknown[] =>
  last === undefined ? [...args] : [...args, last]

export function onThisThread({ verb, args, options }: Call): unknown {
  return (tersor[verb] as Loose)(...withLast(args, options))
}

/** The same call, with options of the run beside the verb's own. */
export function onPool(pool: Pool, { verb, args, options }: Call, run?: RunOptions): Promise<unknown> {
  const last = run ? { ...(options as object | undefined), ...run } : options
  const started = (pool as unknown as Record<Verb, Loose>)[verb](...withLast(args, last))
  if (!(started instanceof Promise)) expect.fail(`pool.${verb} returns no promise`)
  return started
}

export type Outcome = { value: unknown } | { error: Error }

export function attempt(run: () => unknown): Outcome {
  try {
    return { value: run() }
  } catch (error) {
    return { error: error as Error }
  }
}

export function settle(promise: Promise<unknown>): Promise<Outcome> {
  return promise.then(
    (value) => ({ value }),
    (error: Error) => ({ error })
  )
}

const bufferOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)

function expectIs(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) expect.fail(`${what} is ${String(actual)}, expected ${String(expected)}`)
}

const isGram = (value: unknown): value is Gram =>
  typeof (value as Partial<Gram> | null | undefined)?.toBytes === 'function'

/** Equal all the way down: arrays in class, length and bits, numbers as Object.is says, fields in their order. Quick where all is well. */
export function expectSame(actual: unknown, expected: unknown, what = 'result'): void {
  if (isGram(expected)) {
    // Arrays inside may have room for more rows.
    if (!isGram(actual)) expect.fail(`${what} is no Gram`)
    expectSame(actual.toBytes(), expected.toBytes(), `bytes of ${what}`)
  } else if (ArrayBuffer.isView(expected)) {
    const given = actual as AnyArray
    const same = ArrayBuffer.isView(given) && given.constructor === expected.constructor
    if (!same || !bufferOf(given).equals(bufferOf(expected))) expectSameBits(given, expected as AnyArray, what)
    expectIs(given.buffer.constructor, expected.buffer.constructor, `class of the buffer of ${what}`)
    expectIs(given.buffer.byteLength, expected.buffer.byteLength, `size of the buffer of ${what}`)
  } else if (typeof expected === 'object' && expected !== null) {
    expectIs(typeof actual, 'object', `type of ${what}`)
    expectIs(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected), `prototype of ${what}`)
    expectIs(Object.keys(actual as object).join(), Object.keys(expected).join(), `fields of ${what}`)
    for (const [key, value] of Object.entries(expected)) {
      expectSame((actual as Record<string, unknown>)[key], value, `${what}.${key}`)
    }
  } else expectIs(actual, expected, what)
}

/** Equal results, or errors of one class with one message. */
export function expectSameOutcome(actual: Outcome, expected: Outcome, what: string): void {
  if ('error' in expected) {
    const { error } = expected
    if (!('error' in actual)) expect.fail(`${what}: fulfilled, expected ${String(error)}`)
    expectIs(`${actual.error}`, `${error}`, what)
    expectIs(actual.error.constructor, error.constructor, `class of the error of ${what}`)
  } else {
    if ('error' in actual) expect.fail(`${what}: rejected with ${actual.error.stack}`)
    expectSame(actual.value, expected.value, what)
  }
}

export const THREADS: readonly number[] = [1, 2, 3, 8]

/** A pool for the tests of a file or of a block, closed after them. */
export function poolFor(options: PoolOptions): Pool {
  const pool = createPool(options)
  afterAll(() => pool.close())
  return pool
}

/** A pool for each number of threads. */
export function somePools(threads = THREADS): readonly Pool[] {
  return threads.map((n) => poolFor({ threads: n }))
}

/** Two pools of four, by turns: each case on each pool takes long (test/slow/pool.test.ts does it). */
export const byTurns = ([one, two, three, eight]: readonly Pool[], turn: number): readonly Pool[] =>
  turn % 2 ? [two!, eight!] : [one!, three!]

/** The outcome of a call on every pool is that of the verb on this thread. */
export async function checkCall(pools: readonly Pool[], call: Call, what: string = call.verb): Promise<void> {
  const expected = attempt(() => onThisThread(call))
  const actual = await Promise.all(pools.map((pool) => settle(onPool(pool, call))))
  actual.forEach((outcome, i) => expectSameOutcome(outcome, expected, `${what} on ${pools[i]!.threads} threads`))
}

/** As `checkCall`, and the call is one that succeeds. */
export async function checkResult(pools: readonly Pool[], call: Call, what: string = call.verb): Promise<void> {
  const expected = attempt(() => onThisThread(call))
  if ('error' in expected) expect.fail(`${what}: the verb itself throws ${String(expected.error)}`)
  const actual = await Promise.all(pools.map((pool) => settle(onPool(pool, call))))
  actual.forEach((outcome, i) => expectSameOutcome(outcome, expected, `${what} on ${pools[i]!.threads} threads`))
}

/** As `checkCall`, and the call is one that fails, with a message that has these parts. */
export async function checkError(pools: readonly Pool[], call: Call, ...parts: (string | RegExp)[]): Promise<void> {
  const expected = attempt(() => onThisThread(call))
  if (!('error' in expected)) expect.fail(`${call.verb} itself succeeds`)
  for (const part of parts) expect(expected.error.message).toMatch(part)
  const actual = await Promise.all(pools.map((pool) => settle(onPool(pool, call))))
  actual.forEach((outcome, i) => expectSameOutcome(outcome, expected, `${call.verb} on ${pools[i]!.threads} threads`))
}

/** Rejects with an error of this class, with a message that has every part. */
export async function expectRejection(
  promise: Promise<unknown>,
  type: new (...parameters: never[]) => Error,
  ...parts: readonly (string | RegExp)[]
): Promise<void> {
  const outcome = await settle(promise)
  if (!('error' in outcome)) expect.fail(`expected a ${type.name} (${parts.join(', ')}), got a result`)
  expect(outcome.error.constructor.name, `class of "${String(outcome.error)}"`).toBe(type.name)
  for (const part of parts) expect(outcome.error.message).toMatch(part)
}

const STOCK = 1_500_000

/** Stretches of one long array: for lengths where making the numbers takes long. */
function cutFrom(make: () => Float32Array): (length: number, seed: number) => Float32Array<ArrayBuffer> {
  let stock: Float32Array | undefined
  return (length, seed) => {
    if (length > STOCK) throw new RangeError(`only ${STOCK} numbers`)
    stock ??= make()
    const start = index(seeded(seed), STOCK - length + 1)
    return stock.slice(start, start + length) as Float32Array<ArrayBuffer>
  }
}

/** Numbers of many magnitudes, zeros and subnormals (`ugly`). */
export const numbers = cutFrom(() => ugly(STOCK, 77))

/** Few different magnitudes of both signs, so that elements all over a tensor tie. */
export const tied = cutFrom(() => {
  const random = seeded(78)
  const values = [0, -0, 1, -1, 2, -2, 0.5, -0.5]
  return new Float32Array(STOCK).map(() => values[index(random, values.length)]!)
})

const scores = cutFrom(() => numbers(STOCK, 0).map((x) => Math.max(-80, Math.min(80, x))))

export interface Rows {
  data: Float32Array<ArrayBuffer>
  shape: number[]
}

/** Rows of logits. */
export const logits = (shape: readonly number[], seed: number): Rows => ({
  data: scores(sizeOf(shape), seed),
  shape: [...shape]
})

/** The same few numbers again and again. */
export function repeated(few: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(length)
  for (let start = 0; start < length; start += few.length) data.set(few.subarray(0, length - start), start)
  return data
}

export const labelsFor = (rows: number, classes: number, seed: number): Int32Array<ArrayBuffer> => {
  const random = seeded(seed)
  return new Int32Array(rows).map(() => index(random, classes))
}

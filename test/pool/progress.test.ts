import { describe, expect, it } from 'vitest'
import { createPool } from '../../src/pool/index.js'
import type { Progress } from '../../src/pool/index.js'
import {
  CHUNK,
  checkResult,
  expectSame,
  logits,
  numbers,
  onPool,
  onThisThread,
  poolFor,
  settle,
  somePools,
  type Call
} from '../support/pool.js'
import { EVERY } from '../support/poolCalls.js'

const pools = somePools([1, 3])
const length = 3 * CHUNK + 122
const data = numbers(length, 1)
const shape = [length / 2, 2]
const student = logits([900, 1000], 2)

const LARGE: readonly Call[] = [
  { verb: 'quantize', args: [data], options: { format: 'int8' } },
  { verb: 'quantize', args: [data], options: { format: 'float16' } },
  { verb: 'quantize', args: [{ data, shape }], options: { format: 'int4', axis: 1 } },
  {
    verb: 'dequantize',
    args: [
      { format: 'int8', shape: [length], symmetric: true, codes: new Int8Array(length), scales: Float32Array.of(1) }
    ],
    options: {}
  },
  { verb: 'fakeQuantize', args: [data], options: { format: 'int8', group: 99 } },
  { verb: 'prune', args: [data], options: { sparsity: 0.5 } },
  { verb: 'prune', args: [{ a: data, b: data }], options: { sparsity: 0.5, scope: 'global' } },
  { verb: 'prune', args: [[data, Float32Array.of(1), data]], options: { sparsity: 0.3 } },
  { verb: 'prune', args: [data], options: { sparsity: 0 } },
  { verb: 'prune', args: [data], options: { pattern: '2:4' } },
  {
    verb: 'applyMask',
    args: [data, { bits: new Uint8Array(Math.ceil(length / 8)).fill(3), shape: [length] }],
    options: {}
  },
  { verb: 'softmax', args: [student], options: {} },
  { verb: 'klDivergence', args: [student], options: { teacher: student } },
  { verb: 'matmul', args: [student, student], options: { transposeB: true } },
  { verb: 'compare', args: [data, data], options: {} }
]

function expectProgress(seen: readonly Progress[], least: number, what: string): void {
  expect(seen.length, `reports of ${what}`).toBeGreaterThanOrEqual(least)
  const { total } = seen[0]!
  let before = 0
  for (const progress of seen) {
    expect(Object.keys(progress)).toEqual(['done', 'total'])
    expect(progress.total, `total of ${what}`).toBe(total)
    expect(progress.done, `done of ${what}`).toBeGreaterThan(before)
    before = progress.done
  }
  expect(before, `done of ${what} in the end`).toBe(total)
}

it.each(LARGE.map((call, i) => ({ verb: call.verb, call, i })))(
  '$verb $i: done grows to the total',
  async ({ verb, call }) => {
    const expected = onThisThread(call)
    const totals: number[] = []
    for (const pool of pools) {
      const seen: Progress[] = []
      let settled = false
      const result = await onPool(pool, call, {
        onProgress: (progress) => {
          expect(settled).toBe(false)
          seen.push({ ...progress })
        }
      })
      settled = true
      expectSame(result, expected)
      expectProgress(seen, 3, verb)
      totals.push(seen[0]!.total)
    }
    expect(new Set(totals).size, 'totals, whatever the threads').toBe(1)
  }
)

it.each(EVERY.map((call) => ({ verb: call.verb, call })))('$verb of few elements', async ({ verb, call }) => {
  const seen: Progress[] = []
  await onPool(pools[1]!, call, { onProgress: (progress) => void seen.push({ ...progress }) })
  expectProgress(seen, 1, verb)
})

it('a call that fails reports no end', async () => {
  const bad = data.slice()
  bad[length - 1] = NaN
  const seen: Progress[] = []
  await settle(pools[1]!.quantize(bad, { format: 'int8', onProgress: (progress) => void seen.push({ ...progress }) }))
  for (const { done, total } of seen) expect(done).toBeLessThan(total)
})

describe('an onProgress that throws', () => {
  it.each([1, 3])('rejects its call alone, on %i threads', async (threads) => {
    const pool = poolFor({ threads })
    const reason = new Error('no paper')
    const expected = onThisThread(LARGE[0]!)
    for (const call of LARGE) {
      let calls = 0
      const onProgress = (): void => {
        if (++calls === 2) throw reason
      }
      const other = onPool(pool, LARGE[0]!)
      const outcome = await settle(onPool(pool, call, { onProgress }))
      expect('error' in outcome && outcome.error).toBe(reason)
      expectSame(await other, expected)
      expect(calls).toBe(2)
    }
    await checkResult([pool], LARGE[1]!)
  })

  it('at the last report', async () => {
    const reason = new Error('at the end')
    const onProgress = ({ done, total }: Progress): void => {
      if (done === total) throw reason
    }
    for (const call of [...LARGE, ...EVERY]) {
      const outcome = await settle(onPool(pools[1]!, call, { onProgress }))
      expect('error' in outcome && outcome.error).toBe(reason)
    }
  })
})

it('an abort at the last report rejects', async () => {
  for (const call of LARGE) {
    const controller = new AbortController()
    const onProgress = ({ done, total }: Progress): void => {
      if (done === total) controller.abort('late')
    }
    expect(await settle(onPool(pools[1]!, call, { onProgress, signal: controller.signal }))).toEqual({ error: 'late' })
  }
})

it('onProgress may call the pool', async () => {
  const inner: Promise<unknown>[] = []
  const dequantized = onThisThread(LARGE[3]!)
  const onProgress = (): void => void inner.push(onPool(pools[1]!, LARGE[3]!))
  expectSame(await onPool(pools[1]!, LARGE[5]!, { onProgress }), onThisThread(LARGE[5]!))
  expectSame(
    await Promise.all(inner),
    inner.map(() => dequantized)
  )
})

it('onProgress may close the pool', async () => {
  const pool = createPool({ threads: 2 })
  let closing: Promise<void> | undefined
  const outcome = await settle(onPool(pool, LARGE[5]!, { onProgress: () => void (closing ??= pool.close()) }))
  expect('error' in outcome && outcome.error.message).toMatch(/clos/)
  await closing
})

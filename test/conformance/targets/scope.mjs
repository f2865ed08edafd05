import { setTimeout as pause } from 'node:timers/promises'

/** Longest time, in ms, that closing one thing may take. */
const CLOSING = 10_000

async function attempt(cleanup) {
  try {
    await cleanup()
  } catch {
    // What cannot be closed is gone.
  }
}

/** Aborted when the whole run is to end: every scope closes what it has open. */
export const stop = new AbortController()

/**
 * Runs `body` for at most `limit` ms. What it opens it hands to `defer` at once, and that is closed, latest first, however the body
 * ends. Errors name the target.
 */
export async function scope(name, limit, body) {
  const cleanups = []
  let over = false
  const defer = (cleanup) => {
    if (over) cleanup()
    else cleanups.push(cleanup)
  }
  const ended = new AbortController()
  const late = pause(limit, null, { signal: AbortSignal.any([ended.signal, stop.signal]) }).then(() => {
    throw new Error(`not finished within ${limit / 1000} s`)
  })
  try {
    return await Promise.race([body(defer), late])
  } catch (cause) {
    throw new Error(`${name}: ${cause.message}`, { cause })
  } finally {
    ended.abort()
    over = true
    // One that fails or hangs leaves none of the others open.
    for (const cleanup of cleanups.reverse())
      await Promise.race([attempt(cleanup), pause(CLOSING, null, { ref: false })])
  }
}

/** Asks `read` until it has an answer; the scope's limit ends it. */
export async function until(defer, read) {
  let stopped = false
  defer(() => {
    stopped = true
  })
  while (!stopped) {
    const answer = await read()
    if (answer !== undefined && answer !== null) return answer
    await pause(20)
  }
  return undefined
}

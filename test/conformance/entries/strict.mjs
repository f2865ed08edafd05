// A pool in a page whose policy allows scripts of its own host alone.
import { softmax } from './node_modules/tersor/build/index.js'
import { createPool } from './node_modules/tersor/build/pool.js'

const logits = { data: Float32Array.from({ length: 600_000 }, (_, i) => i % 101), shape: [600, 1000] }

async function attempt(options) {
  const pool = createPool({ threads: 2, ...options })
  try {
    const expected = softmax(logits).data
    const { data } = await pool.softmax(logits)
    return data.every((value, i) => value === expected[i]) ? 'same' : 'different'
  } catch (error) {
    return error.message
  } finally {
    await pool.close()
  }
}

globalThis.result = {
  inline: await attempt({}),
  missing: await attempt({ workerUrl: 'nowhere.js' }),
  served: await attempt({ workerUrl: 'node_modules/tersor/build/worker.js' })
}

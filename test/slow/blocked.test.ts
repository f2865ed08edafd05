import { it } from 'vitest'
import { expectSame, onThisThread, poolFor } from '../support/pool.js'
import { block } from '../support/workers.js'

it(
  'a pool survives that its caller is blocked for longer than a worker may take to start',
  { timeout: 60_000 },
  async () => {
    const pool = poolFor({ threads: 2 })
    const running = pool.softmax([[1, 2]])
    block(17_000)
    expectSame(await running, onThisThread({ verb: 'softmax', args: [[[1, 2]]] }))
  }
)

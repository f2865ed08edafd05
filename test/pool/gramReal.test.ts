import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { createGram, gram, openGram } from '../../src/index.js'
import { openTensors } from '../../src/model/index.js'
import { createPool } from '../../src/pool/index.js'
import { expectSameBits } from '../support/bits.js'
import { shuffle } from '../support/random.js'
import { rowsOf, type Table } from '../support/tables.js'

const path = fileURLToPath(new URL('../../../shared/data/glosses-embeddings-20000x384.npy', import.meta.url))
const isThere = existsSync(path)
if (!isThere) console.log('../shared/data/glosses-embeddings-20000x384.npy is not here: its tests are skipped')

describe.skipIf(!isThere)('embeddings of glosses (../shared/data)', () => {
  const read = async (): Promise<Table<Float32Array<ArrayBuffer>>> => {
    const { data } = await (await openTensors(readFileSync(path))).read('data')
    return { data: data as Float32Array<ArrayBuffer>, shape: [20000, 384] }
  }

  it.each([false, true])('in 20 parts on 1, 2, 3 and 8 workers, merged in any order, center %s', async (center) => {
    const t = await read()
    const expected = gram(t, { center }).toBytes()
    for (const threads of [1, 2, 3, 8]) {
      const pool = createPool({ threads })
      try {
        const parts = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            pool.gram(rowsOf(t, 1000 * i, 1000 * (i + 1)), { center, first: 1000 * i })
          )
        )
        const whole = createGram(384, { center })
        const order = shuffle(Array.from(parts.keys()), threads)
        for (const i of order) whole.merge(i % 3 ? parts[i] : openGram(parts[i].toBytes()))
        expectSameBits(whole.toBytes(), expected, `${threads} workers`)
        expectSameBits((await pool.gram(t, { center })).toBytes(), expected, `the whole on ${threads} workers`)
      } finally {
        await pool.close()
      }
    }
  })
})

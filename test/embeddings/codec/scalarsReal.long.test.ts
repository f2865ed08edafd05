import { describe, expect, it } from 'vitest'
import { binary } from '../../../src/embeddings/codec/fit/binary.js'
import { float16, float32 } from '../../../src/embeddings/codec/fit/floats.js'
import { int8 } from '../../../src/embeddings/codec/fit/int8.js'
import { osq } from '../../../src/embeddings/codec/fit/osq.js'
import { rabitq } from '../../../src/embeddings/codec/fit/rabitq.js'
import type { Fitter } from '../../../src/embeddings/codec/fit/fitter.js'
import { fitted, nearest, realData, scanRecall } from '../../support/quantizers.js'

/** Recall@10 by the scan, without rescoring: at least, on ada002 (100 queries) and on the glosses (500). */
const TARGETS: readonly [kind: Fitter, options: object, ada: number, glosses: number][] = [
  [float32, {}, 0.998, 0.999],
  [float16, {}, 0.995, 0.97],
  [int8, {}, 0.995, 0.958],
  [int8, { axis: 'dimension' }, 0.98, 0.94],
  [binary, {}, 0.73, 0.513],
  [binary, { rotate: true }, 0.7, 0.7],
  [rabitq, { bits: 1 }, 0.87, 0.743],
  [rabitq, { bits: 2 }, 0.925, 0.83],
  [rabitq, { bits: 3 }, 0.953, 0.875],
  [rabitq, { bits: 4 }, 0.97, 0.916],
  [rabitq, { bits: 8 }, 0.995, 0.97],
  [osq, { bits: 1 }, 0.86, 0.75],
  [osq, { bits: 1, rotate: false }, 0.86, 0.472],
  [osq, { bits: 4 }, 0.97, 0.92],
  [osq, { bits: 8 }, 0.995, 0.97]
]

const SETS = [
  { file: 'ada002-526x1536.npy', queries: 100, column: 2 },
  { file: 'glosses-embeddings-20000x384.npy', queries: 500, column: 3 }
] as const

describe.each(SETS)('recall on $file', ({ file, queries: held, column }) => {
  const data = realData(file, held)

  it.skipIf(!data)('each method reaches its target', { timeout: 180_000 }, () => {
    const { base, queries } = data!
    const truth = nearest(base, queries, 10)
    for (const target of TARGETS) {
      const [kind, options] = target
      const recall = scanRecall(fitted(kind, base, 'cosine', options), base, queries, truth)
      expect(recall, `${kind.method} ${JSON.stringify(options)}`).toBeGreaterThanOrEqual(target[column])
    }
  })
})

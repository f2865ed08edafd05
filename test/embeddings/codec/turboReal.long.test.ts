import { describe, expect, it } from 'vitest'
import { fitCodec } from '../../../src/embeddings/index.js'
import { isThere, readProtocol, turboRecall } from '../../support/recall.js'

describe.skipIf(!isThere('ada'))('turbo on ada002 (../shared/data)', () => {
  it('finds what it should', async () => {
    const protocol = await readProtocol('ada')
    for (const [bits, least, bytes] of [
      [1, 0.875, 200],
      [2, 0.935, 392],
      [3, 0.96, 584],
      [4, 0.978, 776],
      [8, 0.996, 1544]
    ] as const) {
      const codec = fitCodec(protocol.rows, { bits })
      expect(codec.bytesPerVector).toBe(bytes)
      const { raw, rescored } = turboRecall(codec, protocol)
      expect(raw, `${bits} bits`).toBeGreaterThanOrEqual(least)
      expect(rescored, `${bits} bits, rescored`).toBeGreaterThanOrEqual(0.998)
    }
  })
})

describe.skipIf(!isThere('glosses'))('turbo on glosses (../shared/data)', () => {
  it.each([
    [
      1,
      [
        [1, 0.75, 0.955],
        [2, 0.835, 0.98],
        [3, 0.89, 0.985],
        [4, 0.925, 0.99],
        [8, 0.975, 0.997]
      ]
    ],
    [
      256,
      [
        [1, 0.825, 0.98],
        [2, 0.89, 0.99],
        [4, 0.95, 0.995]
      ]
    ]
  ] as const)('finds what it should with %i centroids', { timeout: 120_000 }, async (centroids, asked) => {
    const protocol = await readProtocol('glosses')
    for (const [bits, least, leastRescored] of asked) {
      // 256 are the default of so many rows.
      const codec = fitCodec(protocol.rows, centroids === 1 ? { bits, centroids } : { bits })
      expect(codec.centroids).toBe(centroids)
      expect(codec.bytesPerVector).toBe(48 * bits + 8 + Number(centroids > 1))
      const { raw, rescored } = turboRecall(codec, protocol)
      expect(raw, `${bits} bits`).toBeGreaterThanOrEqual(least)
      expect(rescored, `${bits} bits, rescored`).toBeGreaterThanOrEqual(leastRescored)
    }
  })
})

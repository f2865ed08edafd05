import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compressModel, openModel, openTensors } from '../../src/model/index.js'
import type { CompressOptions } from '../../src/model/index.js'
import { compareOracle } from '../oracle/linalg.js'

const path = (name: string): string => fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url))

const FILES = ['mnist-cnn.safetensors', 'ada002-526x1536.npy']

interface Restored {
  name: string
  rank: number
  relativeError: number
  snr: number
}

/** Through the file and back, errors measured here. */
async function there(file: string, options: CompressOptions): Promise<Restored[]> {
  const model = await openModel(path(file))
  const original = await openTensors(path(file))
  try {
    const { bytes, report } = await compressModel(model, options)
    const small = await openModel(bytes!)
    const rows: Restored[] = []
    for (const { name, compressed, encoding } of small.tensors) {
      if (!compressed) continue
      const a = await original.read(name)
      const b = await small.read(name)
      const { relativeError, snr } = compareOracle(a.data as Float32Array, b.data as Float32Array)
      rows.push({ name, rank: Number(/^rank (\d+)/.exec(encoding)?.[1]), relativeError, snr })
      const row = report.tensors.find((tensor) => tensor.name === name)!
      expect(row.error!.relativeError).toBeCloseTo(relativeError, 12)
    }
    return rows
  } finally {
    await model.close()
    await original.close()
  }
}

const floats = { select: () => true }

for (const file of FILES) {
  if (!existsSync(path(file))) console.log(`../shared/data/${file} is not here: its tests are skipped`)
  describe.skipIf(!existsSync(path(file)))(`${file} (../shared/data)`, () => {
    // The channels of embeddings are their dimensions: a few of them are outliers, for which one scale a vector is too coarse.
    const axis = file.endsWith('.npy') ? 1 : 0
    it(`int8 per channel (axis ${axis}): SNR above 38 dB on every weight tensor`, async () => {
      const rows = await there(file, { quantize: { format: 'int8', axis } })
      const weights = ['conv1', 'conv2', 'conv3', 'fc1', 'fc2'].map((layer) => `${layer}.weight`)
      expect(rows.map(({ name }) => name).sort()).toEqual(axis ? ['data'] : weights)
      for (const { name, snr } of rows) expect(snr, name).toBeGreaterThan(38)
    })

    it('int4 group 32 asymmetric: SNR above 20 dB on every tensor', async () => {
      const rows = await there(file, { quantize: { format: 'int4', group: 32, symmetric: false }, ...floats })
      expect(rows.length).toBeGreaterThan(0)
      for (const { name, snr } of rows) expect(snr, name).toBeGreaterThan(20)
    })

    it('goes through every format and pruning, every tensor', async () => {
      for (const format of ['int8', 'uint8', 'int4', 'uint4', 'float16', 'bfloat16'] as const) {
        const rows = await there(file, { quantize: { format }, prune: { sparsity: 0.5 }, ...floats })
        for (const { name, relativeError } of rows) expect(relativeError, name).toBeLessThan(1)
      }
    })

    it('meets rank, energy and error as asked', async () => {
      const byRank = await there(file, { lowRank: { rank: 2 } })
      expect(byRank.filter(({ rank }) => rank > 0).every(({ rank }) => rank === 2)).toBe(true)
      expect(byRank.length).toBeGreaterThan(0)

      const byEnergy = await there(file, { lowRank: { energy: 0.8 } })
      for (const { name, relativeError } of byEnergy) {
        expect(1 - relativeError ** 2, name).toBeGreaterThanOrEqual(0.8 - 1e-6)
      }
      const byError = await there(file, { lowRank: { maxRelativeError: 0.4 } })
      for (const { name, relativeError } of byError) expect(relativeError, name).toBeLessThanOrEqual(0.4)

      // One rank less does not meet them (C. Eckart and G. Young: no factors of that rank do).
      for (const [rows, enough] of [
        [byEnergy, (error: number) => 1 - error ** 2 >= 0.8],
        [byError, (error: number) => error <= 0.4]
      ] as const) {
        expect(rows.length).toBeGreaterThan(0)
        for (const { name, rank } of rows.filter((row) => row.rank > 1)) {
          const select: CompressOptions['select'] = (tensor) => tensor.name === name
          const [less] = await there(file, { lowRank: { rank: rank - 1 }, select })
          expect(less.rank, name).toBe(rank - 1)
          expect(enough(less.relativeError), `${name}, rank ${rank - 1}`).toBe(false)
        }
      }
    })
  })
}

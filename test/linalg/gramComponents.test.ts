import { describe, expect, it } from 'vitest'
import { createGram, gram } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { normals, normals64 } from '../support/random.js'
import { type Table } from '../support/tables.js'
import { table, CENTER } from '../support/grams.js'

describe('components', () => {
  const t = table(900, 12)

  it('are orthonormal, and what the matrix is made of', () => {
    for (const center of CENTER) {
      const g = gram(t, { center })
      const { v, s, mean } = g.pca({ rank: 12, dtype: 'float64' })
      const { data } = g.matrix()
      for (let i = 0; i < 12; i++) {
        for (let j = 0; j < 12; j++) {
          let product = 0
          let dot = 0
          for (let k = 0; k < 12; k++) {
            product += v.data[i * 12 + k] * s.data[k] ** 2 * v.data[j * 12 + k]
            dot += v.data[k * 12 + i] * v.data[k * 12 + j]
          }
          expect(Math.abs(product - data[i * 12 + j])).toBeLessThan(1e-12 * s.data[0] ** 2)
          expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-14)
        }
      }
      for (let k = 0; k < 12; k++) {
        const column = Array.from(v.data).filter((_, i) => i % 12 === k)
        const top = column.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
        expect(top).toBeGreaterThan(0)
      }
      expectSameBits(mean.data as Float64Array, center ? g.mean().data : new Float64Array(12))
    }
  })

  it('float32 unless asked, rounded once', () => {
    const g = gram(t, { center: true })
    const wide = g.pca({ rank: 5, dtype: 'float64' })
    const { v, s, mean, variances, ...rest } = g.pca({ rank: 5 })
    expect(rest).toEqual({ rank: 5, energy: wide.energy })
    expect(g.pca({ rank: 5, dtype: 'float32' })).toEqual(g.pca({ rank: 5 }))
    for (const [part, full] of [
      [v, wide.v],
      [s, wide.s],
      [mean, wide.mean],
      [variances, wide.variances]
    ]) {
      expect(part.shape).toEqual(full.shape)
      expectSameBits(part.data, Float32Array.from(full.data))
    }
  })

  it('of less than the full rank are completed', () => {
    const few = gram({ data: normals(5 * 8, 3), shape: [5, 8] }).pca({ rank: 8, dtype: 'float64' })
    expect([...few.s.data.subarray(5)].every((x) => x <= 1e-7 * few.s.data[0])).toBe(true)
    const zero = gram({ data: new Float32Array(24), shape: [3, 8] })
    for (const { v, s, energy } of [few, zero.pca({ rank: 8, dtype: 'float64' })]) {
      for (let i = 0; i < 8; i++) {
        for (let j = 0; j < 8; j++) {
          let dot = 0
          for (let k = 0; k < 8; k++) dot += v.data[k * 8 + i] * v.data[k * 8 + j]
          expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-14)
        }
      }
      expect(s.data.every((x) => x >= 0)).toBe(true)
      expect(energy).toBe(1)
    }
    expect(zero.pca({ energy: 0.5 }).rank).toBe(1)
    const one = createGram(3, { center: true }).add([1, 2, 3]).pca({ rank: 3 })
    expect([...one.s.data, ...one.variances.data]).toEqual([0, 0, 0, 0, 0, 0])
    expect([...one.mean.data]).toEqual([1, 2, 3])
  })

  it('by energy are the least that keep it', () => {
    // Singular values 4, 2, 1, .5, as rows of a diagonal.
    const g = gram({ data: Float32Array.of(4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.5), shape: [4, 4] })
    for (const [energy, rank] of [
      [0.01, 1],
      [16 / 21.25, 1],
      [0.76, 2],
      [0.95, 3],
      [1, 4]
    ]) {
      const result = g.pca({ energy })
      expect([result.rank, result.v.shape]).toEqual([rank, [4, rank]])
      expect(result.energy).toBeGreaterThanOrEqual(energy)
    }
    expect([...g.pca({ rank: 4 }).s.data]).toEqual([4, 2, 1, 0.5])
    expect([...g.pca({ rank: 4 }).variances.data]).toEqual([16 / 3, 4 / 3, 1 / 3, 0.25 / 3].map(Math.fround))
    expect(g.pca({ rank: 4 })).not.toHaveProperty('bound')
  })

  it('columns far apart in size keep their digits', () => {
    const scales = [1, 1e-30, 1e20, 1e-60]
    const data = normals64(4000, 8).map((x, i) => x * scales[i % 4])
    const { s } = gram({ data, shape: [1000, 4] }).pca({ rank: 4, dtype: 'float64' })
    const alone = scales.map((_, j) => Math.hypot(...data.filter((_, i) => i % 4 === j)))
    const order = [2, 0, 1, 3]
    s.data.forEach((x, k) => expect(Math.abs(x / alone[order[k]] - 1)).toBeLessThan(0.01))
  })
})

describe('what is beyond the type of squares, or of results', () => {
  const pair = (factor: number): Table => ({ data: Float64Array.of(3, 0, 0, 4).map((x) => x * factor), shape: [2, 2] })

  it('singular values beyond float32 are Infinity there', () => {
    expect([...gram(pair(1e100)).pca({ rank: 2 }).s.data]).toEqual([Infinity, Infinity])
    const { s } = gram(pair(1e100)).pca({ rank: 2, dtype: 'float64' })
    expect(Math.abs(s.data[0] / 4e100 - 1)).toBeLessThan(1e-14)
  })

  it('squares of the least numbers vanish', () => {
    expect([...gram(pair(1e-170)).matrix().data]).toEqual([0, 0, 0, 0])
    expect([...gram(pair(1e-170)).pca({ rank: 2, dtype: 'float64' }).s.data]).toEqual([0, 0])
    const { s } = gram(pair(1e-150)).pca({ rank: 1, dtype: 'float64' })
    expect(Math.abs(s.data[0] / 4e-150 - 1)).toBeLessThan(1e-14)
  })
})

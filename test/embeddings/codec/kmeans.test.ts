import { describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/embeddings/codingEngine.js'
import { kmeans } from '../../../src/embeddings/codec/fit/kmeans.js'
import { loadCentroids, nearest } from '../../../src/embeddings/codec/nearest.js'
import { kmeansOracle, nearestOracle, squaredDistance } from '../../oracle/embeddings/codec/kmeans.js'
import { expectSameBits } from '../../support/bits.js'
import { index, normals, seeded } from '../../support/random.js'

const engine = createEngine()
const { memory } = engine

function put(data: Float32Array): number {
  const pointer = memory.alloc(data.byteLength)
  memory.f32(pointer, data.length).set(data)
  return pointer
}

function fitted(
  rows: Float32Array,
  d: number,
  k: number,
  options: { seed: number; iterations: number; stream?: number }
): Float32Array {
  return memory.frame(() => {
    const to = memory.alloc(4 * k * d)
    kmeans(engine, to, put(rows), rows.length / d, d, k, options)
    const centroids = memory.f32(to, k * d).slice()
    return centroids
  })
}

function assigned(rows: Float32Array, centroids: Float32Array, d: number): Uint16Array {
  return memory.frame(() => {
    const count = rows.length / d
    const to = memory.alloc(2 * count)
    nearest(engine, to, put(rows), count, loadCentroids(engine, put(centroids), centroids.length / d, d))
    const numbers = memory.u16(to, count).slice()
    return numbers
  })
}

describe('the nearest centroid', () => {
  it.each([1, 2, 3, 4, 7, 8, 15, 64, 65, 100, 384, 1000])('is that of the plain loop in %i dimensions', (d) => {
    for (const [count, k] of [
      [1, 1],
      [7, 2],
      [8, 5],
      [61, 16],
      [33, 100]
    ]) {
      const rows = normals(count * d, d + count)
      const centroids = normals(k * d, d + k + 1)
      expectSameBits(
        assigned(rows, centroids, d),
        Uint16Array.from(nearestOracle(rows, centroids, d)),
        `${count}, ${k}`
      )
    }
  })

  it('is nearest also far from the origin', () => {
    const d = 24
    const rows = normals(300 * d, 1).map((x, i) => x + 1000 * ((i % d) - 7))
    const centroids = rows.slice(0, 50 * d)
    const numbers = assigned(rows, centroids, d)
    numbers.forEach((number, r) => {
      const found = squaredDistance(rows, r, centroids, number, d)
      for (let i = 0; i < 50; i++) expect(found).toBeLessThan(squaredDistance(rows, r, centroids, i, d) + 0.02)
    })
    expect([...numbers.subarray(0, 50)]).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  it('is the lowest of equals', () => {
    const d = 5
    const row = normals(d, 3)
    const centroids = new Float32Array(9 * d)
    for (const i of [2, 3, 6, 8]) centroids.set(row, i * d)
    expect([...assigned(row, centroids, d)]).toEqual([2])
    expect([...assigned(new Float32Array(3 * d), centroids, d)]).toEqual([0, 0, 0])
    // All of one place: the mean is all that there is.
    expect([...assigned(new Float32Array(2 * d).fill(4), new Float32Array(6 * d).fill(4), d)]).toEqual([0, 0])
  })

  it('does not depend on how rows are cut', () => {
    const [d, count, k] = [13, 100, 37]
    const rows = put(normals(count * d, 5))
    const centroids = loadCentroids(engine, put(normals(k * d, 6)), k, d)
    const whole = memory.alloc(2 * count)
    nearest(engine, whole, rows, count, centroids)
    const random = seeded(1)
    const parts = memory.alloc(2 * count)
    for (let at = 0; at < count;) {
      const step = Math.min(1 + index(random, 20), count - at)
      nearest(engine, parts + 2 * at, rows + 4 * d * at, step, centroids)
      at += step
    }
    expectSameBits(memory.u16(parts, count), memory.u16(whole, count))
  })

  it('reads columns of wider rows, and writes bytes apart', () => {
    const [d, width, count, k] = [6, 17, 21, 40]
    const table = normals(count * width, 7)
    const part = Float32Array.from({ length: count * d }, (_, i) => table[Math.floor(i / d) * width + 5 + (i % d)])
    const centroids = normals(k * d, 8)
    const packed = loadCentroids(engine, put(centroids), k, d)
    const to = memory.alloc(3 * count)
    memory.u8(to, 3 * count).fill(255)
    const changed = nearest(engine, to, put(table) + 20, count, packed, { stride: width, bytes: 1, step: 3 })
    expect(changed).toBe(count)
    const expected = nearestOracle(part, centroids, d)
    memory.u8(to, 3 * count).forEach((byte, i) => expect(byte).toBe(i % 3 ? 255 : expected[i / 3]))
  })
})

describe('kmeans', () => {
  it.each([
    [2, 200, 16],
    [3, 90, 7],
    [8, 500, 64],
    [33, 120, 10]
  ])('%i dimensions, %i rows, %i centroids: the bits of the plain loop', (d, count, k) => {
    const rows = normals(count * d, d)
    for (const options of [
      { seed: 0, iterations: 8 },
      { seed: 12345678901, iterations: 3, stream: 9 }
    ]) {
      expectSameBits(fitted(rows, d, k, options), kmeansOracle(rows, d, k, options))
    }
  })

  it('finds clusters that lie apart', () => {
    const d = 10
    const rows = normals(600 * d, 2, 0.01)
    for (let r = 0; r < 600; r++) rows[r * d + (r % 6)] += 5
    const centroids = fitted(rows, d, 24, { seed: 1, iterations: 20 })
    const numbers = assigned(rows, centroids, d)
    for (let r = 0; r < 600; r++) expect(squaredDistance(rows, r, centroids, numbers[r], d)).toBeLessThan(0.01)
  })

  it('takes rows that are all the same, or as few as there are centroids', () => {
    const same = new Float32Array(50 * 3).fill(-2.5)
    expectSameBits(fitted(same, 3, 8, { seed: 0, iterations: 5 }), new Float32Array(24).fill(-2.5))
    const few = normals(5 * 4, 11)
    const centroids = fitted(few, 4, 5, { seed: 0, iterations: 5 })
    const sorted = (x: Float32Array): number[] => Array.from(x).sort((a, b) => a - b)
    expect(sorted(centroids)).toEqual(sorted(few))
  })

  it('splits what is wide for what is empty', () => {
    // Sixty rows in one place, of which many are chosen first, and a few others: no centroid is left unused.
    const d = 2
    const rows = new Float32Array(80 * d)
    const others = normals(20 * d, 4)
    rows.set(others, 60 * d)
    const options = { seed: 3, iterations: 30 }
    expectSameBits(fitted(rows, d, 16, options), kmeansOracle(rows, d, 16, options))
    const used = new Set(assigned(rows, fitted(rows, d, 16, options), d))
    expect(used.size).toBe(16)
  })

  it('goes on from centroids that are given', () => {
    const [d, k] = [7, 12]
    const data = normals(300 * d, 9)
    const rows = put(data)
    const to = memory.alloc(4 * k * d)
    kmeans(engine, to, rows, 300, d, k, { seed: 4, iterations: 3 })
    kmeans(engine, to, rows, 300, d, k, { seed: 0, iterations: 4, warm: true })
    expectSameBits(memory.f32(to, k * d).slice(), kmeansOracle(data, d, k, { seed: 4, iterations: 7 }))
  })
})

import { describe, expect, it } from 'vitest'
import { createEngine, frame } from '../../../src/embeddings/codingEngine.js'
import { rotationOf } from '../../../src/embeddings/codec/rotation.js'
import { rotateOracle } from '../../oracle/embeddings/codec/rotation.js'
import { expectSameBits } from '../../support/bits.js'
import { normals } from '../../support/random.js'

const engine = createEngine()

type Step = 'rotate' | 'inverse'

function run(
  step: Step,
  rows: Float32Array,
  d: number,
  { seed = 0, centroid = undefined as Float32Array | undefined, inPlace = false, cut = Infinity } = {}
): Float32Array<ArrayBuffer> {
  const count = rows.length / d
  return frame(engine, (memory) => {
    const rotation = rotationOf(d, seed).load(engine)
    const from = memory.alloc(4 * rows.length)
    const to = inPlace ? from : memory.alloc(4 * rows.length)
    const at = centroid && memory.alloc(4 * d)
    memory.f32(from, rows.length).set(rows)
    if (at !== undefined) memory.f32(at, d).set(centroid!)
    for (let i = 0; i < count; i += cut) {
      const some = Math.min(cut, count - i)
      if (step === 'rotate') rotation.rotate(to + 4 * i * d, from + 4 * i * d, some, at)
      else rotation.inverse(to + 4 * i * d, from + 4 * i * d, some)
    }
    return memory.f32(to, rows.length).slice()
  })
}

const lengthOf = (x: ArrayLike<number>): number => Math.sqrt(Array.from(x).reduce((sum, y) => sum + y * y, 0))

const DIMENSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 47, 48, 63, 64, 65, 96, 100, 127, 128, 300]
const WIDE = [384, 640, 768, 1000, 1024, 1536, 3072, 4096, 4097, 8191, 8192]

describe.each([...DIMENSIONS, ...WIDE])('rotation of %i dimensions', (d) => {
  const count = 3
  const rows = normals(count * d, d)

  it('is what its definition says, with and without a centroid', () => {
    for (const [seed, centroid] of [[0], [5, normals(d, 20000 + d)], [2 ** 40, undefined]] as const) {
      const rotated = run('rotate', rows, d, { seed, centroid })
      for (let i = 0; i < count; i++) {
        const row = rows.subarray(i * d, (i + 1) * d).map((x, j) => x - (centroid?.[j] ?? 0))
        const expected = rotateOracle(row, seed)
        const length = lengthOf(row)
        for (let j = 0; j < d; j++) {
          expect(Math.abs(rotated[i * d + j] - expected[j]), `row ${i}, element ${j}`).toBeLessThan(2e-7 * length)
        }
        const rounded = lengthOf(rotated.subarray(i * d, (i + 1) * d))
        // Few elements leave the errors of rounding little to cancel.
        expect(Math.abs(rounded / length - 1)).toBeLessThan(d < 64 ? 2e-7 : 7e-8)
      }
    }
  })

  it('goes back, in place or not, in any cut, to the same bits', () => {
    const rotated = run('rotate', rows, d)
    expectSameBits(run('rotate', rows, d, { inPlace: true }), rotated)
    expectSameBits(run('rotate', rows, d, { cut: 1 }), rotated)
    const back = run('inverse', rotated, d)
    expectSameBits(run('inverse', rotated, d, { inPlace: true, cut: 2 }), back)
    const errors = back.map((x, i) => x - rows[i])
    for (let i = 0; i < count; i++) {
      const part = (x: Float32Array): Float32Array => x.subarray(i * d, (i + 1) * d)
      expect(lengthOf(part(errors)) / lengthOf(part(rows))).toBeLessThan(4e-7)
    }
  })
})

describe('a rotation', () => {
  it.each([7, 24, 65, 127, 200, 256, 384])('is orthogonal to rounding (%i dimensions)', (d) => {
    const identity = Float32Array.from({ length: d * d }, (_, i) => Number(i % (d + 1) === 0))
    const r = run('rotate', identity, d)
    let worst = 0
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        let dot = 0
        for (let k = 0; k < d; k++) dot += r[i * d + k] * r[j * d + k]
        worst = Math.max(worst, Math.abs(dot - Number(i === j)))
      }
    }
    expect(worst).toBeLessThan(d >= 256 ? 7e-8 : 1.5e-7)
  })

  it.each([65, 100, 127, 384, 1000])('spreads every element over all others (%i dimensions)', (d) => {
    const spread = new Float64Array(d)
    for (let seed = 0; seed < 24; seed++) {
      for (const at of [0, Math.floor(d / 2), d - 1]) {
        const row = new Float32Array(d)
        row[at] = 1
        const rotated = run('rotate', row, d, { seed })
        rotated.forEach((x, j) => (spread[j] += (x * x * d) / 72))
        // The fourth moment of a random direction is 3 d / (d + 2).
        expect(rotated.reduce((sum, x) => sum + x ** 4, 0) * d).toBeLessThan(9)
      }
    }
    // The mean of squares of about 72 normal numbers.
    expect(Math.max(...spread)).toBeLessThan(2.2)
    expect(Math.min(...spread)).toBeGreaterThan(0.35)
  })

  it('depends on its seed, and takes zeros and great numbers', () => {
    const rows = normals(384, 1)
    expect(run('rotate', rows, 384, { seed: 1 })).not.toEqual(run('rotate', rows, 384, { seed: 2 }))
    for (const d of [7, 100, 384]) {
      expect(run('rotate', new Float32Array(d), d).every((x) => x === 0)).toBe(true)
      for (const size of [1e-36, 1e36]) {
        const great = run('rotate', new Float32Array(d).fill(size), d)
        expect(lengthOf(Float64Array.from(great, (x) => x / size))).toBeCloseTo(Math.sqrt(d), 3)
      }
    }
  })
})

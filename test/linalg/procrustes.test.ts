import { describe, expect, it } from 'vitest'
import { procrustes, qr } from '../../src/index.js'
import type { Procrustes, ProcrustesOptions } from '../../src/index.js'
import { productOracle } from '../oracle/factor.js'
import { frobenius, orthogonalityRatio } from '../oracle/linalg.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { matrix, random, scaled, type Matrix } from '../support/matrices.js'
import { solveVectors } from '../support/vectors.js'

/** |scale a rotation + translation - b| / |b| */
function errorOf(a: Matrix, b: Matrix, { rotation, scale, translation }: Procrustes): number {
  const [m, n] = a.shape
  const product = productOracle(a.data, rotation.data, m, n, n)
  const shift = translation ? translation.data : new Float64Array(n)
  return frobenius(product.map((value, i) => scale * value + shift[i % n]! - b.data[i]!)) / frobenius(b.data)
}

function determinant(data: ArrayLike<number>, n: number): number {
  const a = Float64Array.from(data)
  let product = 1
  for (let k = 0; k < n; k++) {
    let pivot = k
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[pivot * n + k]!)) pivot = i
    if (pivot !== k) {
      product = -product
      for (let j = 0; j < n; j++) [a[k * n + j], a[pivot * n + j]] = [a[pivot * n + j]!, a[k * n + j]!]
    }
    product *= a[k * n + k]!
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k]! / a[k * n + k]!
      for (let j = k; j < n; j++) a[i * n + j]! -= factor * a[k * n + j]!
    }
  }
  return product
}

function check(a: Matrix, b: Matrix, options: ProcrustesOptions = {}): Procrustes {
  const [, n] = a.shape
  const result = procrustes(a, b, options)
  const { rotation, scale, translation, relativeError, ...others } = result
  expect(others).toEqual({})
  expect(rotation.shape).toEqual([n, n])
  expect(orthogonalityRatio(rotation.data as Float64Array, n, n)).toBeLessThan(10)
  expect(translation?.shape).toEqual(options.center ? [n] : undefined)
  if (!options.scale) expect(scale).toBe(1)
  if (options.rotationOnly) expect(determinant(rotation.data, n)).toBeCloseTo(1, 12)
  expect(Math.abs(relativeError - errorOf(a, b, result))).toBeLessThan(1e-12)
  return result
}

/** An orthogonal matrix. */
const turn = (n: number, seed: number): Matrix => {
  const { q } = qr(random(n, n, seed))
  return { data: q.data as Float64Array<ArrayBuffer>, shape: [n, n] }
}

const moved = (a: Matrix, r: Matrix, scale = 1, shift = 0): Matrix => {
  const [m, n] = a.shape
  return { data: productOracle(a.data, r.data, m, n, n).map((x) => scale * x + shift), shape: [m, n] }
}

const WAYS: readonly ProcrustesOptions[] = [false, true].flatMap((scale) =>
  [false, true].flatMap((center) => [false, true].map((rotationOnly) => ({ scale, center, rotationOnly })))
)

describe('of SciPy', () => {
  it.each(solveVectors.procrustes)('$name', ({ m, n, a, b, options, rotation, scale, translation, relativeError }) => {
    const result = check(
      { data: Float64Array.from(a), shape: [m, n] },
      { data: Float64Array.from(b), shape: [m, n] },
      options
    )
    rotation.forEach((value, i) => expect(Math.abs(result.rotation.data[i]! - value)).toBeLessThan(1e-11))
    expect(Math.abs(result.scale / scale - 1)).toBeLessThan(1e-12)
    if (options.center) {
      translation.forEach((value, i) => expect(Math.abs(result.translation!.data[i]! - value)).toBeLessThan(1e-11))
    }
    expect(Math.abs(result.relativeError - relativeError)).toBeLessThan(1e-12)
  })
})

describe.each(WAYS)('%j', (options) => {
  it('finds what was done', () => {
    for (const [m, n] of [
      [1, 1],
      [4, 2],
      [10, 3],
      [50, 17],
      [200, 64],
      [2000, 5]
    ] as const) {
      const a = random(m, n, 3)
      const r = turn(n, 5)
      if (options.rotationOnly && determinant(r.data, n) < 0) for (let i = 0; i < n; i++) r.data[i * n]! *= -1
      const b = moved(a, r, options.scale ? 0.3 : 1, options.center ? 5 : 0)
      const { rotation, scale, relativeError } = check(a, b, options)
      expect(relativeError, `${m}x${n}`).toBeLessThan(1e-13)
      if (m <= n) continue
      rotation.data.forEach((value, i) => expect(Math.abs(value - r.data[i]!)).toBeLessThan(1e-12))
      expect(scale).toBeCloseTo(options.scale ? 0.3 : 1, 12)
    }
  })

  it('no small turn does better', () => {
    const [a, b] = [random(30, 6), random(30, 6, 2)]
    const best = check(a, b, options)
    const n = 6
    for (let p = 0; p < n; p++) {
      for (let q = 0; q < p; q++) {
        for (const angle of [1e-3, -1e-3]) {
          const turned = best.rotation.data.slice()
          for (let i = 0; i < n; i++) {
            const [x, y] = [turned[i * n + p]!, turned[i * n + q]!]
            turned[i * n + p] = Math.cos(angle) * x - Math.sin(angle) * y
            turned[i * n + q] = Math.sin(angle) * x + Math.cos(angle) * y
          }
          const other = { ...best, rotation: { data: turned, shape: [n, n] } }
          if (!options.center) expect(errorOf(a, b, other)).toBeGreaterThan(best.relativeError)
        }
      }
    }
    if (options.scale) {
      for (const factor of [0.999, 1.001]) {
        expect(errorOf(a, b, { ...best, scale: best.scale * factor })).toBeGreaterThan(
          best.relativeError * (options.center ? 0.99 : 1)
        )
      }
    }
  })
})

describe('reflections', () => {
  it('are taken unless they are forbidden', () => {
    for (const n of [1, 2, 3, 8, 33]) {
      const a = random(3 * n, n)
      const mirror = matrix(n, n, (i, j) => (i === j ? (i === 0 ? -1 : 1) : 0))
      const free = check(a, moved(a, mirror))
      expect(determinant(free.rotation.data, n)).toBeCloseTo(-1, 12)
      expect(free.relativeError).toBeLessThan(1e-14)
      const { relativeError } = check(a, moved(a, mirror), { rotationOnly: true })
      expect(relativeError).toBeGreaterThan(0.01)
    }
  })

  it('what is a rotation already stays it', () => {
    const a = random(20, 4)
    const r = turn(4, 2)
    if (determinant(r.data, 4) < 0) for (let i = 0; i < 4; i++) r.data[i * 4]! *= -1
    expect(check(a, moved(a, r), { rotationOnly: true })).toEqual(check(a, moved(a, r)))
  })
})

describe('ends of the range', () => {
  it('powers of two change no bit of the rotation', () => {
    const [a, b] = [random(12, 5), random(12, 5, 2)]
    for (const options of WAYS) {
      const plain = procrustes(a, b, options)
      for (const [up, other] of [
        [900, 900],
        [-900, -900],
        [-900, 900],
        [400, -400]
      ] as const) {
        const result = procrustes(scaled(a, 2 ** up), scaled(b, 2 ** other), options)
        result.rotation.data.forEach((value, i) => expect(value).toBeCloseTo(plain.rotation.data[i]!, 12))
        if (options.scale) {
          // 2^1800 is not a number.
          if (Math.abs(other - up) < 1000) expect(result.scale / 2 ** (other - up)).toBeCloseTo(plain.scale, 12)
          else expect(result.scale).toBe(Infinity)
          expect(result.relativeError).toBeCloseTo(plain.relativeError, 12)
        } else if (up === other) expect(result.relativeError).toBeCloseTo(plain.relativeError, 12)
      }
    }
  })

  it('zeros', () => {
    const zero = matrix(4, 2, () => 0)
    const identity = Float64Array.of(1, 0, 0, 1)
    expect(procrustes(zero, zero, { scale: true, center: true })).toEqual({
      rotation: { data: identity, shape: [2, 2] },
      scale: 1,
      translation: { data: new Float64Array(2), shape: [2] },
      relativeError: 0
    })
    expect(procrustes(random(4, 2), zero).relativeError).toBe(Infinity)
    expect(procrustes(zero, random(4, 2)).relativeError).toBe(1)
    expect(procrustes(random(4, 2), zero, { scale: true })).toMatchObject({ scale: 0, relativeError: 0 })
  })
})

describe('kinds of input', () => {
  it('f32 gives f32, computed in f64', () => {
    const [a, b] = [random(20, 6), random(20, 6, 2)].map(({ data, shape }) => ({
      data: Float32Array.from(data),
      shape
    }))
    const options = { scale: true, center: true }
    const single = procrustes(a!, b!, options)
    const [c, d] = [a!, b!].map(({ data, shape }) => ({ data: Float64Array.from(data), shape }))
    const wide = procrustes(c!, d!, options)
    expect(single.rotation.data).toBeInstanceOf(Float32Array)
    expectSameBits(single.rotation.data, Float32Array.from(wide.rotation.data))
    expectSameBits(single.translation!.data, Float32Array.from(wide.translation!.data))
    expect([single.scale, single.relativeError]).toEqual([wide.scale, wide.relativeError])
    expect(procrustes(a!, d!).rotation.data).toBeInstanceOf(Float64Array)
  })

  it('bits of float16, whole numbers, nested arrays', () => {
    const a = { data: Uint16Array.from([1, 0, 0, 2], float16Bits), shape: [2, 2], dtype: 'float16' }
    const b = { data: Int8Array.of(0, 1, -2, 0), shape: [2, 2] }
    expect(Array.from(procrustes(a, b).rotation.data, (x) => x + 0)).toEqual([0, 1, -1, 0])
    expect(
      procrustes(
        [
          [1, 0],
          [0, 2]
        ],
        [
          [1, 0],
          [0, 2]
        ]
      ).rotation.data
    ).toEqual(Float64Array.of(1, 0, 0, 1))
  })

  it('does not change its input, and gives the same bits again', () => {
    const [a, b] = [random(20, 6), random(20, 6, 2)]
    const copies = [a.data.slice(), b.data.slice()]
    const first = procrustes(a, b)
    procrustes(random(50, 30), random(50, 30, 2))
    expect(procrustes(a, b)).toEqual(first)
    expectSameBits(a.data, copies[0]!)
    expectSameBits(b.data, copies[1]!)
  })
})

describe('errors', () => {
  const a = random(4, 3)

  it('shapes', () => {
    expectError(() => procrustes(new Float32Array(3), a), RangeError, 'procrustes: "a"', 'two dimensions')
    expectError(() => procrustes(a, new Float32Array(12)), RangeError, '"b"', 'two dimensions')
    expectError(() => procrustes(a, random(3, 4)), RangeError, '"b"', "[4, 3] as a's", '[3, 4]')
    const none = { data: new Float64Array(0), shape: [0, 3] }
    expectError(() => procrustes(none, none), RangeError, '"a"', 'elements', '[0, 3]')
  })

  it('what is not finite', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const bad = random(4, 3)
      bad.data[7] = value
      expectError(() => procrustes(bad, a), RangeError, '"a"', `got ${value} at index 7`)
      expectError(() => procrustes(a, bad, { center: true }), RangeError, '"b"', `got ${value} at index 7`)
    }
  })

  it('options', () => {
    expectError(
      () => procrustes(a, a, wrong({ scaling: true })),
      TypeError,
      'unknown option "scaling"; expected scale, center, rotationOnly'
    )
    for (const name of ['scale', 'center', 'rotationOnly']) {
      expectError(() => procrustes(a, a, { [name]: wrong(1) }), TypeError, `"${name}"`, 'true or false')
    }
  })
})

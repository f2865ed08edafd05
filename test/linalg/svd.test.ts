import { describe, expect, it } from 'vitest'
import { svd } from '../../src/index.js'
import { residualRatio, symmetricEigenvaluesOracle } from '../oracle/linalg.js'
import { float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { matrix, MATRIX_TYPES, random, scaled, transposed, withSpectrum } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { normals } from '../support/random.js'
import { check, checkForm, checkType, expectValues, RATIO, ULP } from '../support/svd.js'
import { f32, quantizeVectors } from '../support/vectors.js'

const SHAPES: readonly [number, number][] = [1, 2, 3, 4, 5, 8, 13, 16, 17, 32, 33, 40].flatMap((n) => [
  [n, n],
  [n, Math.ceil(n / 2)],
  [Math.ceil(n / 3), n],
  [n + 7, n],
  [n, 3 * n]
])

describe('the ratios of LAPACK', () => {
  it('random matrices of all sizes to 40', () => {
    for (let n = 0; n <= 40; n++) {
      for (const [m, k] of [
        [n, n],
        [n, (n >> 1) + 1],
        [(n >> 2) + 1, n],
        [n, 1],
        [1, n],
        [2 * n, n]
      ]) {
        check(random(m, k), `${m}x${k}`)
      }
    }
  })

  it.each(MATRIX_TYPES)('$name', (type) => {
    for (const [m, n] of SHAPES) checkType(type, m, n)
  })

  it.each(MATRIX_TYPES)('$name, 64 and 100', (type) => {
    for (const [m, n] of [
      [64, 64],
      [100, 30],
      [30, 100]
    ]) {
      checkType(type, m, n)
    }
  })

  it.each(['random', 'clustered spectrum', 'rank 1', 'geometric spectrum of condition 1e12'])('%s, 257', (name) => {
    const type = MATRIX_TYPES.find((candidate) => candidate.name === name)!
    checkType(type, 257, 257)
    checkType(type, 257, 100)
    checkType(type, 100, 257)
  })

  it('a long row, a long column', () => {
    check(random(1, 20000), 'a row')
    check(random(20000, 1), 'a column')
    check(random(3, 20000), 'three rows')
    check(random(40000, 2), 'two columns')
  })

  it('no rows, no columns', () => {
    for (const shape of [
      [0, 0],
      [0, 5],
      [5, 0]
    ]) {
      const { u, s, v } = svd({ data: new Float64Array(0), shape })
      expect([u.shape, s.shape, v.shape]).toEqual([[shape[0], 0], [0], [shape[1], 0]])
      expect(s.data.length).toBe(0)
    }
  })
})

describe('singular values', () => {
  it.each(quantizeVectors.singularValues)('of NumPy, $name', ({ name, m, n, input, singularValues }) => {
    const a: Matrix = { data: Float64Array.from(f32(input)), shape: [m, n] }
    const { s } = check(a, name)
    expectValues(s.data, singularValues, Math.max(m, n), name)
  })

  it('squared are the eigenvalues of the Gram matrix', () => {
    for (const [m, n] of [
      [5, 5],
      [20, 7],
      [30, 30],
      [40, 12]
    ]) {
      const a = random(m, n, 5)
      const { data } = a
      const gram = new Float64Array(n * n)
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) for (let r = 0; r < m; r++) gram[i * n + j] += data[r * n + i] * data[r * n + j]
      }
      const eigenvalues = symmetricEigenvaluesOracle(gram, n)
      const { s } = svd(a)
      s.data.forEach((x, i) =>
        expect(Math.abs(x * x - eigenvalues[i])).toBeLessThanOrEqual(100 * m * ULP * eigenvalues[0])
      )
    }
  })

  it('keep the relative precision of a graded spectrum of columns', () => {
    // Jacobi finds small singular values of A D, D diagonal, as precisely as those of A.
    const a = random(6, 6, 9)
    const factors = [1, 1e-20, 1e-40, 1e-60, 1e-80, 1e-100]
    const graded = matrix(6, 6, (i, j) => a.data[i * 6 + j] * factors[j])
    const { s } = check(graded, 'graded columns')
    // Their product is |det|, which an elimination with pivots finds to full precision.
    const { data } = matrix(6, 6, (i, j) => a.data[i * 6 + j])
    let determinant = 1
    for (let k = 0; k < 6; k++) {
      let pivot = k
      for (let i = k + 1; i < 6; i++) if (Math.abs(data[i * 6 + k]) > Math.abs(data[pivot * 6 + k])) pivot = i
      for (let j = 0; j < 6; j++) {
        const kept = data[k * 6 + j]
        data[k * 6 + j] = data[pivot * 6 + j]
        data[pivot * 6 + j] = kept
      }
      determinant *= Math.abs(data[k * 6 + k])
      for (let i = k + 1; i < 6; i++) {
        const factor = data[i * 6 + k] / data[k * 6 + k]
        for (let j = k; j < 6; j++) data[i * 6 + j] -= factor * data[k * 6 + j]
      }
    }
    let product = 1
    s.data.forEach((x, i) => (product *= x / factors[i]))
    expect(Math.abs(product / determinant - 1)).toBeLessThan(1e-11)
  })

  it('scale with the matrix', () => {
    const a = random(9, 6, 4)
    const { s } = svd(a)
    for (const exponent of [-1000, -400, 500, 1000]) {
      const { s: moved } = svd(scaled(a, 2 ** exponent))
      // A power of two changes no rounding, but where results become subnormal.
      s.data.forEach((x, i) => expect(moved.data[i]).toBe(x * 2 ** exponent))
    }
  })

  it('are those of the transpose', () => {
    for (const [m, n] of [
      [7, 4],
      [12, 12]
    ]) {
      const a = random(m, n, 6)
      expectValues(svd(transposed(a)).s.data, Array.from(svd(a).s.data), m, 'the transpose')
    }
  })

  it('of subnormal entries', () => {
    const whole = [
      [3, -5, 1],
      [0, 2, 7],
      [1000, -999, 40000],
      [-7, 0, 1]
    ]
    const a = matrix(4, 3, (i, j) => whole[i][j] * 2 ** -1074)
    const result = svd(a)
    checkForm(result, [4, 3], ULP, 'subnormals')
    const reference = check(
      matrix(4, 3, (i, j) => whole[i][j]),
      'whole numbers'
    )
    // No better than the unit of subnormals, which is 1 of the whole numbers.
    result.s.data.forEach((x, i) =>
      expect(Math.abs(x * 2 ** 537 * 2 ** 537 - reference.s.data[i])).toBeLessThanOrEqual(0.5 + 1e-9)
    )
    const least = svd(matrix(5, 5, (i, j) => (i === j ? 2 ** -1074 : 0)))
    checkForm(least, [5, 5], ULP, 'the least numbers')
    expect([...least.s.data]).toEqual(new Array(5).fill(2 ** -1074))
  })

  it('of a matrix that is diagonal but for order and sign are exact', () => {
    const a = matrix(4, 4, (i, j) => (j === (i + 1) % 4 ? [3, -7, 0.5, -2][i] : 0))
    const { s, u, v } = check(a, 'a permutation')
    expect([...s.data]).toEqual([7, 3, 2, 0.5])
    for (const x of [...u.data, ...v.data]) expect([0, 1]).toContain(Math.abs(x))
  })
})

describe('signs', () => {
  it('do not depend on the sign of the matrix', () => {
    const a = random(8, 5, 2)
    const { u, v } = svd(a)
    const other = svd(scaled(a, -1))
    expectSameBits(other.u.data, u.data)
    expectSameBits(
      other.v.data,
      v.data.map((x) => -x)
    )
  })
})

describe('kinds of input', () => {
  it('f32 gives f32, computed in f64', () => {
    for (const [m, n] of [
      [20, 20],
      [40, 9],
      [9, 40]
    ]) {
      const data = normals(m * n, m)
      const result = svd({ data, shape: [m, n] })
      for (const part of [result.u, result.s, result.v]) expect(part.data).toBeInstanceOf(Float32Array)
      checkForm(result, [m, n], 2 ** -23, `f32 ${m}x${n}`)
      expect(residualRatio(data, m, n, result.u.data, result.s.data, result.v.data, 2 ** -23)).toBeLessThan(RATIO)
      // Each number is the f64 result, rounded once.
      const wide = svd({ data: Float64Array.from(data), shape: [m, n] })
      expectSameBits(result.u.data, Float32Array.from(wide.u.data), 'u')
      expectSameBits(result.s.data, Float32Array.from(wide.s.data), 's')
      expectSameBits(result.v.data, Float32Array.from(wide.v.data), 'v')
    }
  })

  it('whole numbers and bit patterns give f32', () => {
    const values = [1, 2, -3, 4, 0.5, 6]
    const expected = svd({ data: f32(values), shape: [2, 3] })
    const halves = { data: Uint16Array.from(values, float16Bits), dims: [2, 3], type: 'float16' }
    expect(values.map((x) => float16Value(float16Bits(x)))).toEqual(values)
    expect(svd(halves)).toEqual(expected)
    const whole = svd({ data: Int8Array.of(1, 2, 3, 4), shape: [2, 2] })
    expect(whole.s.data).toBeInstanceOf(Float32Array)
    expect(whole).toEqual(svd({ data: f32([1, 2, 3, 4]), shape: [2, 2] }))
  })

  it('nested arrays give f64', () => {
    const { s } = svd([
      [3, 0],
      [0, 0.1]
    ])
    expect(s.data).toEqual(Float64Array.of(3, 0.1))
  })

  it('f64 beyond f32 is not rounded', () => {
    expect(svd(matrix(1, 1, () => 1e100)).s.data[0]).toBe(1e100)
    expect(svd(matrix(1, 1, () => 1 + ULP)).s.data[0]).toBe(1 + ULP)
  })

  it('views that begin inside their buffer, and is not changed', () => {
    const whole = random(1, 40, 8).data
    const copy = whole.slice()
    const part = whole.subarray(5, 35)
    expect(svd({ data: part, dims: [6, 5] })).toEqual(svd({ data: part.slice(), shape: [6, 5] }))
    expectSameBits(whole, copy)
  })

  it('gives the same bits again, whatever was computed before', () => {
    const a = withSpectrum(12, 9, [3, 2, 1])
    const first = svd(a)
    svd(random(50, 50))
    expect(svd(a)).toEqual(first)
  })
})

import { normals64, seeded, shuffle } from './random.js'

/** Row-major, m rows of n. */
export interface Matrix {
  data: Float64Array<ArrayBuffer>
  shape: [number, number]
}

export function matrix(m: number, n: number, entry: (i: number, j: number) => number): Matrix {
  const data = new Float64Array(m * n)
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) data[i * n + j] = entry(i, j)
  return { data, shape: [m, n] }
}

export function random(m: number, n: number, seed = 1): Matrix {
  return { data: normals64(m * n, seed * 1000 + 31 * m + n), shape: [m, n] }
}

export function scaled({ data, shape }: Matrix, factor: number): Matrix {
  return { data: data.map((x) => x * factor), shape }
}

export function transposed({ data, shape: [m, n] }: Matrix): Matrix {
  return matrix(n, m, (i, j) => data[j * n + i])
}

/** Row i is the row rows[i] of a, column j its column columns[j]. */
export function permuted({ data, shape: [m, n] }: Matrix, rows: readonly number[], columns: readonly number[]): Matrix {
  return matrix(m, n, (i, j) => data[rows[i] * n + columns[j]])
}

/** The rows and the columns in any order. */
export function shuffled(a: Matrix, seed: number): Matrix {
  const [rows, columns] = a.shape.map((length, axis) =>
    shuffle(
      Array.from({ length }, (_, i) => i),
      seed + axis
    )
  )
  return permuted(a, rows, columns)
}

/** The rows of a, reflected in hyperplanes: H a with H orthogonal, k Householder reflections of random directions. */
function reflectRows(a: Float64Array, m: number, n: number, seed: number): void {
  for (let k = 0; k < Math.min(m, 6); k++) {
    const w = normals64(m, seed + k)
    const square = w.reduce((sum, x) => sum + x * x, 0)
    for (let j = 0; j < n; j++) {
      let dot = 0
      for (let i = 0; i < m; i++) dot += w[i] * a[i * n + j]
      for (let i = 0; i < m; i++) a[i * n + j] -= (2 * dot * w[i]) / square
    }
  }
}

/** U diag(sigma) V' with U and V products of random reflections. */
export function withSpectrum(m: number, n: number, sigma: readonly number[], seed = 1): Matrix {
  const a = matrix(m, n, (i, j) => (i === j && i < sigma.length ? sigma[i] : 0))
  reflectRows(a.data, m, n, seed * 7919 + m)
  const t = transposed(a)
  reflectRows(t.data, n, m, seed * 104729 + n)
  return transposed(t)
}

export const geometric = (k: number, condition: number): number[] =>
  Array.from({ length: k }, (_, i) => (k === 1 ? 1 : condition ** (-i / (k - 1))))

/** As many at 1 as at 1e-3, and the least alone. */
export const clustered = (k: number): number[] =>
  Array.from({ length: k }, (_, i) => (i === k - 1 && k > 2 ? 1e-9 : i < k / 2 ? 1 : 1e-3))

/** From 1 down to 1 / condition in equal steps. */
export const even = (k: number, condition: number): number[] =>
  Array.from({ length: k }, (_, i) => (k === 1 ? 1 : 1 - (i / (k - 1)) * (1 - 1 / condition)))

export interface MatrixType {
  name: string
  make: (m: number, n: number) => Matrix
  /** known singular values, descending, where they are known */
  sigma?: (k: number) => number[]
}

export const MATRIX_TYPES: readonly MatrixType[] = [
  { name: 'random', make: random },
  { name: 'zero', make: (m, n) => matrix(m, n, () => 0), sigma: (k) => new Array<number>(k).fill(0) },
  { name: 'negative zero', make: (m, n) => matrix(m, n, () => -0), sigma: (k) => new Array<number>(k).fill(0) },
  {
    name: 'identity',
    make: (m, n) => matrix(m, n, (i, j) => (i === j ? 1 : 0)),
    sigma: (k) => new Array<number>(k).fill(1)
  },
  {
    name: 'geometric spectrum of condition 1e12',
    make: (m, n) => withSpectrum(m, n, geometric(Math.min(m, n), 1e12)),
    sigma: (k) => geometric(k, 1e12)
  },
  {
    name: 'geometric spectrum of condition 1e60',
    make: (m, n) => withSpectrum(m, n, geometric(Math.min(m, n), 1e60)),
    sigma: (k) => geometric(k, 1e60)
  },
  { name: 'clustered spectrum', make: (m, n) => withSpectrum(m, n, clustered(Math.min(m, n))), sigma: clustered },
  {
    name: 'duplicate columns',
    make: (m, n) => {
      const { data } = random(m, n)
      return matrix(m, n, (i, j) => data[i * n + (j % Math.max(1, Math.floor(n / 2)))])
    }
  },
  { name: 'all ones', make: (m, n) => matrix(m, n, () => 1) },
  {
    name: 'rank 1',
    make: (m, n) => {
      const [u, v] = [normals64(m, 1), normals64(n, 2)]
      return matrix(m, n, (i, j) => u[i] * v[j])
    }
  },
  {
    name: 'one zero column',
    make: (m, n) => {
      const { data } = random(m, n)
      return matrix(m, n, (i, j) => (j === Math.floor(n / 2) ? 0 : data[i * n + j]))
    }
  },
  {
    name: 'one zero row',
    make: (m, n) => {
      const { data } = random(m, n)
      return matrix(m, n, (i, j) => (i === 0 ? 0 : data[i * n + j]))
    }
  },
  { name: 'scaled by 1e300', make: (m, n) => scaled(random(m, n), 1e300) },
  { name: 'scaled by 1e-300', make: (m, n) => scaled(random(m, n), 1e-300) },
  { name: 'near overflow', make: (m, n) => scaled(random(m, n), 2 ** 1020 / (m * n)) },
  {
    name: 'columns far apart in magnitude',
    make: (m, n) => {
      const { data } = random(m, n)
      return matrix(m, n, (i, j) => data[i * n + j] * 10 ** (-7 * (j % 6)))
    }
  },
  {
    name: 'rows far apart in magnitude',
    make: (m, n) => {
      const { data } = random(m, n)
      return matrix(m, n, (i, j) => data[i * n + j] * 10 ** (-7 * ((i + 2) % 6)))
    }
  },
  ...[60, 80, 120, 150, 158, 162, 300].map((exponent) => ({
    name: `one great entry and a block 1e-${exponent} of it`,
    make: (m: number, n: number): Matrix => {
      const { data } = random(m, n)
      const least = 10 ** -exponent
      return matrix(m, n, (i, j) => (i === 0 && j === 0 ? 1 : i > 0 && j > 0 ? least * data[i * n + j] : 0))
    }
  })),
  { name: 'upper triangle of ones', make: (m, n) => matrix(m, n, (i, j) => (j >= i ? 1 : 0)) },
  { name: 'Kahan', make: (m, n) => matrix(m, n, (i, j) => 0.6 ** i * (i === j ? 1 : j > i ? -0.8 : 0)) },
  { name: 'Hilbert', make: (m, n) => matrix(m, n, (i, j) => 1 / (i + j + 1)) },
  { name: 'small whole numbers', make: (m, n) => matrix(m, n, (i, j) => ((i * 7 + j * 3) % 5) - 2) }
]

const ULP = 2 ** -52

/** DLATMS's spectra, from 1 down to 1 / condition, by the number of its MODE. */
const SPECTRA: Readonly<Record<string, (k: number, condition: number) => number[]>> = {
  'one great value': (k, condition) => Array.from({ length: k }, (_, i) => (i === 0 ? 1 : 1 / condition)),
  'one small value': (k, condition) => Array.from({ length: k }, (_, i) => (i < k - 1 || k === 1 ? 1 : 1 / condition)),
  'geometric values': geometric,
  'even values': even,
  'values at random': (k, condition) => {
    const random = seeded(k)
    return Array.from({ length: k }, () => condition ** -random()).sort((a, b) => b - a)
  }
}

/** The spectrum on the diagonal, with any signs. */
function diagonal(m: number, n: number, sigma: readonly number[]): Matrix {
  const random = seeded(m * 41 + n)
  const signs = sigma.map(() => (random() < 0.5 ? -1 : 1))
  return matrix(m, n, (i, j) => (i === j ? signs[i] * sigma[i] : 0))
}

function uniform(m: number, n: number): Matrix {
  const random = seeded(m * 1000 + n)
  return matrix(m, n, () => 2 * random() - 1)
}

const times = (type: MatrixType, factor: number, name: string): MatrixType => ({
  name: `${type.name}, ${name}`,
  make: (m, n) => scaled(type.make(m, n), factor),
  ...(type.sigma && { sigma: (k: number) => type.sigma!(k).map((x) => x * factor) })
})

/** Square roots of the limits of normal numbers, which dchkbd scales by, and ddrvbd's own factors. */
const roots = (type: MatrixType): MatrixType[] => [
  times(type, 2 ** 511, 'near the root of overflow'),
  times(type, 2 ** -511, 'near the root of underflow')
]
const limits = (type: MatrixType): MatrixType[] => [
  times(type, 2 ** 970, 'near overflow'),
  times(type, 2 ** -970, 'near underflow')
]

const onDiagonal = (name: string): MatrixType => ({
  name: `a diagonal of ${name}`,
  make: (m, n) => diagonal(m, n, SPECTRA[name](Math.min(m, n), 1 / ULP)),
  sigma: (k) => SPECTRA[name](k, 1 / ULP)
})

const inAnyBasis = (name: string): MatrixType => ({
  name: `${name} in any basis`,
  make: (m, n) => withSpectrum(m, n, SPECTRA[name](Math.min(m, n), 1 / ULP)),
  sigma: (k) => SPECTRA[name](k, 1 / ULP)
})

const mild: MatrixType = {
  name: 'even values of condition k',
  make: (m, n) => withSpectrum(m, n, even(Math.min(m, n), Math.min(m, n)), 3),
  sigma: (k) => even(k, k)
}

const anyEntries: MatrixType = { name: 'entries in (-1, 1)', make: uniform }

/**
 * The matrices that LAPACK tests its SVD with (TESTING/EIG/ddrvbd.f types 1 to 5, dchkbd.f types 1 to 16), and the spectra of
 * TESTING/MATGEN/dlatms.f that those leave out.
 */
export const LAPACK_TYPES: readonly MatrixType[] = [
  ...MATRIX_TYPES.filter(({ name }) => name === 'zero' || name === 'identity'),
  ...Object.keys(SPECTRA).map(onDiagonal),
  ...roots(onDiagonal('even values')),
  ...Object.keys(SPECTRA).map(inAnyBasis),
  ...roots(inAnyBasis('even values')),
  anyEntries,
  ...roots(anyEntries),
  mild,
  ...limits(mild),
  {
    name: 'two diagonals of entries from ulp^2 to ulp^-2',
    make: (m, n) => {
      const random = seeded(m + 43 * n)
      const k = Math.min(m, n)
      const other = m >= n ? 1 : -1
      return matrix(m, n, (i, j) => ((i === j || j === i + other) && i < k && j < k ? ULP ** (4 * random() - 2) : 0))
    }
  }
]

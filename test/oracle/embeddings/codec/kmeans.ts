import { uniformOracle } from '../../random.js'

const round = Math.fround

/** For each coordinate the median, the lower of two, of up to 31 centroids that are spread evenly. */
function middleOracle(centroids: Float32Array, dimensions: number): number[] {
  const k = centroids.length / dimensions
  const few = Math.min(k, 31)
  return Array.from({ length: dimensions }, (_, j) => {
    const some = Array.from({ length: few }, (_, i) => centroids[Math.floor((i * k) / few) * dimensions + j])
    return some.sort((a, b) => a - b)[Math.floor((few - 1) / 2)]
  })
}

/** -|c|^2 / 2 and the products in f32, in order, of what is left beside the centroids' middle: the sums that decide, rounding by rounding. */
export function nearestOracle(rows: Float32Array, centroids: Float32Array, dimensions: number): number[] {
  const count = rows.length / dimensions
  const k = centroids.length / dimensions
  const shift = middleOracle(centroids, dimensions)
  const centered = Float32Array.from(centroids, (x, i) => round(x - shift[i % dimensions]))
  return Array.from({ length: count }, (_, r) => {
    let best = -Infinity
    let number = 0
    for (let i = 0; i < k; i++) {
      let square = 0
      for (let j = 0; j < dimensions; j++) square += centered[i * dimensions + j] ** 2
      let sum = round(-0.5 * square)
      for (let j = 0; j < dimensions; j++) {
        const x = round(rows[r * dimensions + j] - shift[j])
        sum = round(sum + round(x * centered[i * dimensions + j]))
      }
      if (sum > best) {
        best = sum
        number = i
      }
    }
    return number
  })
}

/** The squared distance of a row and a centroid, in f64. */
export function squaredDistance(rows: Float32Array, r: number, centroids: Float32Array, i: number, d: number): number {
  let sum = 0
  for (let j = 0; j < d; j++) sum += (rows[r * d + j] - centroids[i * d + j]) ** 2
  return sum
}

/** Lloyd's iteration, with the choices that the library documents. */
export function kmeansOracle(
  rows: Float32Array,
  dimensions: number,
  k: number,
  { seed, iterations, stream = 0 }: { seed: number; iterations: number; stream?: number }
): Float32Array<ArrayBuffer> {
  const count = rows.length / dimensions
  const order = Array.from({ length: count }, (_, i) => i)
  const centroids = new Float32Array(k * dimensions)
  for (let i = 0; i < k; i++) {
    const uniform = (uniformOracle(seed, 2 ** 20 + stream, i) + 1) / 2
    const other = Math.min(i + Math.floor(uniform * (count - i)), count - 1)
    const row = order[other]
    order[other] = order[i]
    order[i] = row
    for (let j = 0; j < dimensions; j++) centroids[i * dimensions + j] = rows[row * dimensions + j]
  }
  let before: number[] = []
  for (let round_ = 0; round_ < iterations; round_++) {
    const numbers = nearestOracle(rows, centroids, dimensions)
    if (numbers.every((number, r) => number === before[r])) break
    before = numbers
    const sizes = new Array<number>(k).fill(0)
    const sums = new Float64Array(k * dimensions)
    numbers.forEach((number, r) => {
      sizes[number]++
      for (let j = 0; j < dimensions; j++) sums[number * dimensions + j] += rows[r * dimensions + j]
    })
    const middle = middleOracle(centroids, dimensions)
    for (let i = 0; i < k * dimensions; i++) {
      const size = sizes[Math.floor(i / dimensions)]
      if (size > 0) centroids[i] = sums[i] / size
    }
    const errors = new Array<number>(k).fill(0)
    numbers.forEach((number, r) => (errors[number] += squaredDistance(rows, r, centroids, number, dimensions)))
    for (let empty = 0; empty < k; empty++) {
      if (sizes[empty] > 0) continue
      const donor = errors.indexOf(Math.max(...errors))
      if (errors[donor] === 0) break
      errors[donor] /= 2
      errors[empty] = errors[donor]
      for (let j = 0; j < dimensions; j++) {
        const x = centroids[donor * dimensions + j]
        const apart = ((j % 2 ? -1 : 1) / 1024) * (x - middle[j])
        centroids[donor * dimensions + j] = x - apart
        centroids[empty * dimensions + j] = x + apart
      }
    }
  }
  return centroids
}

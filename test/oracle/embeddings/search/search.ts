/** An index as a map of vectors, searched one by one in f64: score falling, then id rising. */
export type PlainMetric = 'cosine' | 'dot' | 'l2'

export interface PlainHit {
  id: number
  score: number
}

/** The cosine, the inner product or the negative squared distance; 0 where a vector has no direction. */
export function scoreOracle(query: ArrayLike<number>, vector: ArrayLike<number>, metric: PlainMetric): number {
  let product = 0
  let left = 0
  let right = 0
  let distance = 0
  for (let i = 0; i < query.length; i++) {
    product += query[i] * vector[i]
    left += query[i] * query[i]
    right += vector[i] * vector[i]
    distance += (query[i] - vector[i]) * (query[i] - vector[i])
  }
  if (metric === 'dot') return product
  if (metric === 'l2') return 0 - distance
  return left * right > 0 ? product / Math.sqrt(left) / Math.sqrt(right) : 0
}

export class PlainIndex {
  readonly vectors = new Map<number, ArrayLike<number>>()
  next = 0

  constructor(readonly metric: PlainMetric) {}

  add(vectors: readonly ArrayLike<number>[], ids = vectors.map((_, i) => this.next + i)): void {
    vectors.forEach((vector, i) => {
      this.vectors.set(ids[i], vector)
      this.next = Math.max(this.next, ids[i] + 1)
    })
  }

  remove(ids: readonly number[]): number {
    return ids.filter((id) => this.vectors.delete(id)).length
  }

  search(query: ArrayLike<number>, k: number, filter: (id: number) => boolean = () => true): PlainHit[] {
    return [...this.vectors]
      .filter(([id]) => filter(id))
      .map(([id, vector]) => ({ id, score: scoreOracle(query, vector, this.metric) }))
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .slice(0, k)
  }
}

import type { Method } from '../codec/quantizer.js'

/** Options of fitCodec that a search tries. */
export interface Settings {
  readonly method: Method
  readonly bits: number
  readonly centroids?: number
  readonly truncate?: number
  readonly pca?: number
  readonly subspaces?: number
  readonly stages?: number
  readonly rotate?: boolean
}

export interface Candidate {
  readonly settings: Settings
  /** bytes of a vector that its codes have at least, without factors */
  readonly codeBytes: number
  /** bytes of tables that it has at least */
  readonly tableBytes: number
}

/** Trained for seconds, so that a few rows show first whether it is worth it. */
export const TRAINED: readonly Method[] = ['pq', 'opq', 'residual']

/** Rows for each centroid, so that tables stay small beside the codes, and centroids mean something. */
const ROWS_A_CENTROID = 32

/** Rows that code books need. */
const ROWS_A_BOOK = 1024
/**
 * Stages of a residual quantizer, each with tables as great as those of a product quantizer; sub-spaces follow them.
 */
const MOST_STAGES = 3
/** Bytes of the length behind them. */
const LENGTH = 2
/** What {@link TRAINED} methods are not tried without. */
export const LEAST_TRAINED = `${ROWS_A_BOOK} vectors of 8 numbers`
/** Whose codes are of numbers as they are, unless these are rotated. */
const ROTATABLE: readonly Method[] = ['binary']

/** Bits of each method that are worth a try; between and beyond, others are as good. */
const BITS: Readonly<Partial<Record<Method, readonly number[]>>> = {
  turbo: [1, 2, 3, 4, 8],
  rabitq: [2, 4, 6],
  osq: [1, 2, 4],
  int8: [8],
  binary: [1],
  float16: [16],
  float32: [32]
}

/**
 * What a search tries, the smallest first: every method at its bits; turbo with one centroid and as
 * many as rows allow; fewer numbers of each vector, cut or projected, with the bits that this leaves room for.
 */
export function candidatesFor(dimensions: number, rows: number, methods: readonly Method[], most: number): Candidate[] {
  const list: Candidate[] = []
  const add = (settings: Settings, codeBytes: number, tableBytes = 0): void => {
    if (codeBytes <= most) list.push({ settings, codeBytes, tableBytes })
  }
  for (const method of methods) {
    for (const bits of BITS[method] ?? []) {
      const codeBytes = Math.ceil((bits * dimensions) / 8)
      add({ method, bits, ...(method === 'turbo' ? { centroids: 1 } : {}) }, codeBytes)
      if (ROTATABLE.includes(method)) add({ method, bits, rotate: true }, codeBytes)
    }
  }
  if (methods.includes('turbo')) {
    // Beyond one, the most that rows allow: fitting takes long, and fewer tell little more.
    const many = [64, 256, 1024].filter((centroids) => centroids * ROWS_A_CENTROID <= rows).slice(-1)
    for (const centroids of many) {
      for (const bits of [1, 2, 3, 4]) {
        add({ method: 'turbo', bits, centroids }, Math.ceil((bits * dimensions) / 8), centroids * dimensions)
      }
    }
    for (const [numbers, bits] of shares(dimensions)) {
      const codeBytes = Math.ceil((bits * numbers) / 8)
      add({ method: 'turbo', bits, centroids: 1, truncate: numbers }, codeBytes)
      if (rows >= 2 * dimensions) {
        add({ method: 'turbo', bits, centroids: 1, pca: numbers }, codeBytes, 4 * numbers * dimensions)
      }
    }
    const centroids = many[0] === undefined ? 1 : Math.min(256, many[0])
    for (const [numbers, bits] of fitting(dimensions, most)) {
      const codeBytes = Math.ceil((bits * numbers) / 8)
      add({ method: 'turbo', bits, centroids, truncate: numbers }, codeBytes, centroids * numbers)
      if (rows >= 2 * dimensions) {
        add({ method: 'turbo', bits, centroids, pca: numbers }, codeBytes, (4 * dimensions + centroids) * numbers)
      }
    }
  }
  if (rows >= ROWS_A_BOOK) {
    for (const method of methods.filter((each) => each === 'pq' || each === 'opq')) {
      const subspaces = subspacesFor(dimensions, most)
      if (subspaces) add({ method, bits: 8, subspaces }, subspaces, 1024 * dimensions)
    }
    if (methods.includes('residual')) {
      const codes = Math.floor(Math.min(most, dimensions / 4)) - LENGTH
      const stages = Math.min(MOST_STAGES, codes)
      const subspaces = codes - stages
      const tables = stages + (subspaces > 0 ? 1 : 0)
      if (stages >= 1) {
        add({ method: 'residual', bits: 8, stages, subspaces }, codes + LENGTH, 1024 * dimensions * tables)
      }
    }
  }
  list.sort((a, b) => a.codeBytes - b.codeBytes)
  const large = list.filter(({ codeBytes }) => most < Infinity && SMALLEST_SHARE * codeBytes >= most)
  return large.length ? large : list
}

/** Where bytes are asked for, what takes less than one part in so many of them does not find most. */
const SMALLEST_SHARE = 3

/** Bytes of factors and of the centroid's number that a row has with few bits. */
const FACTORS = 9

/** Halves and quarters of the numbers, with the bits that these leave room for. */
function shares(dimensions: number): [numbers: number, bits: number][] {
  return [2, 4]
    .map((share) => Math.floor(dimensions / share / 8) * 8)
    .filter((numbers) => numbers >= 8)
    .flatMap((numbers) => [2, 4, 8].map((bits): [number, number] => [numbers, bits]))
}

/** The most numbers that bytes leave room for, at each number of bits at which they do not for all. */
function fitting(dimensions: number, most: number): [numbers: number, bits: number][] {
  return [1, 2, 3, 4]
    .map((bits): [number, number] => [Math.floor((most - FACTORS) / bits) * 8, bits])
    .filter(([numbers]) => numbers >= 8 && numbers < dimensions)
}

/** Sub-spaces of one byte each: the most that bytes allow, of at least eight numbers, all equally wide. */
function subspacesFor(dimensions: number, most: number): number | undefined {
  for (let subspaces = Math.floor(Math.min(most, dimensions / 8)); subspaces >= 1; subspaces--) {
    if (dimensions % subspaces === 0) return subspaces
  }
  return undefined
}

/** How a candidate reads: "turbo, 2 bits, 256 centroids". */
export function nameOf({ method, bits, centroids = 1, truncate, pca, subspaces, stages, rotate }: Settings): string {
  const parts: string[] = [method]
  if (stages) parts.push(`${stages} stages`)
  if (subspaces) parts.push(`${subspaces} sub-spaces`)
  if (!stages && !subspaces && !/^(int8|binary|float)/.test(method)) parts.push(bits === 1 ? '1 bit' : `${bits} bits`)
  if (rotate) parts.push('rotated')
  if (centroids > 1) parts.push(`${centroids} centroids`)
  if (truncate) parts.push(`first ${truncate}`)
  if (pca) parts.push(`PCA ${pca}`)
  return parts.join(', ')
}

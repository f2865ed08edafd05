import { packBits } from './quantize.js'

export interface Pruned {
  values: Float32Array
  bits: Uint8Array
  sparsity: number
}

export interface PruneOptions {
  sparsity: number
  scope?: 'layer' | 'global' | undefined
}

interface Entry {
  tensor: number
  index: number
  magnitude: number
}

const entriesOf = (data: Float32Array, tensor: number): Entry[] =>
  Array.from(data, (x, index) => ({ tensor, index, magnitude: Math.abs(x) }))

/** The order of removal: least magnitude first, then the earliest tensor, then the lowest flat index. */
const removalOrder = (a: Entry, b: Entry): number =>
  a.magnitude - b.magnitude || a.tensor - b.tensor || a.index - b.index

/** A tie goes to the even count, as Python's round does for PyTorch's pruning amounts. */
function removedCount(sparsity: number, n: number): number {
  const exact = sparsity * n
  const below = Math.floor(exact)
  if (exact - below !== 0.5) return exact - below < 0.5 ? below : below + 1
  return below % 2 === 0 ? below : below + 1
}

function withMask(data: Float32Array, kept: boolean[]): Pruned {
  const values = data.slice()
  kept.forEach((keep, i) => {
    if (!keep) values[i] = 0
  })
  const removed = kept.filter((keep) => !keep).length
  return { values, bits: packBits(kept), sparsity: data.length === 0 ? 0 : removed / data.length }
}

function checkFinite(data: Float32Array): void {
  data.forEach((x, i) => {
    if (!Number.isFinite(x)) throw new RangeError(`not finite at ${i}`)
  })
}

export function pruneOracle(list: readonly Float32Array[], { sparsity, scope = 'layer' }: PruneOptions): Pruned[] {
  list.forEach(checkFinite)
  const kept = list.map((data) => new Array<boolean>(data.length).fill(true))
  const pools = scope === 'global' ? [list.flatMap((data, tensor) => entriesOf(data, tensor))] : list.map(entriesOf)
  for (const pool of pools) {
    const removed = pool.sort(removalOrder).slice(0, removedCount(sparsity, pool.length))
    for (const { tensor, index } of removed) kept[tensor][index] = false
  }
  return list.map((data, tensor) => withMask(data, kept[tensor]))
}

export function patternOracle(data: Float32Array, shape: readonly number[], n: number, m: number): Pruned {
  checkFinite(data)
  const kept = new Array<boolean>(data.length).fill(true)
  const rows = shape.length < 2 ? 1 : shape[0]
  const columns = rows === 0 ? 0 : data.length / rows
  const entries = entriesOf(data, 0)
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < columns; start += m) {
      const end = Math.min(start + m, columns)
      const block = entries.slice(row * columns + start, row * columns + end)
      const removed = block.sort(removalOrder).slice(0, Math.max(block.length - n, 0))
      for (const { index } of removed) kept[index] = false
    }
  }
  return withMask(data, kept)
}

export function applyMaskOracle(data: Float32Array, bits: Uint8Array): Float32Array {
  const kept = Array.from(data, (_, i) => Math.floor(bits[Math.floor(i / 8)] / 2 ** (i % 8)) % 2 === 1)
  return withMask(data, kept).values
}

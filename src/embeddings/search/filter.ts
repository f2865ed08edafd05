import { typeError } from '../../core/errors.js'
import { checkAttached, isArrayOf, show } from '../../core/check.js'
import { BLOCK_ROWS } from '../scan/layout.js'
import { type Ids, NO_ID } from './ids.js'

/**
 * Which rows a search may find: a function of the id, or a bit for each id (bit `id & 7` of byte `id >> 3`; ids beyond
 * its end have none).
 */
export type Filter = ((id: number) => boolean) | Uint8Array

export function checkFilter(verb: string, filter: unknown): Filter | undefined {
  if (filter === undefined) return undefined
  if (typeof filter === 'function') {
    return (id) => {
      const passes: unknown = (filter as (id: number) => unknown)(id)
      // A promise would let all in.
      if (typeof (passes as { then?: unknown } | null)?.then === 'function') {
        throw typeError(
          `${verb}: "filter" expected true or false, got a promise; find out which ids pass first, and give them as bits`
        )
      }
      return Boolean(passes)
    }
  }
  if (!isArrayOf(filter, Uint8Array)) {
    throw typeError(
      `${verb}: "filter" expected a function of the id, or a Uint8Array with a bit for each id, got ${show(filter)}`
    )
  }
  checkAttached(`${verb}: "filter"`, filter)
  return filter
}

/**
 * For each block, which lanes a search looks at: those that hold a row which the filter lets through. Each row is asked
 * about once.
 */
export class Masks {
  private readonly masks: Uint32Array<ArrayBuffer> | undefined
  private readonly known: Uint8Array<ArrayBuffer> | undefined

  constructor(
    private readonly ids: Ids,
    private readonly filter: Filter | undefined,
    blocks: number
  ) {
    if (!filter) return
    this.masks = new Uint32Array(blocks)
    this.known = new Uint8Array(blocks)
  }

  /**
   * Writes the masks of `count` blocks from `first` on, of which the last has `lastRows` rows and the others all; false
   * where all are empty.
   */
  write(to: () => Uint32Array, first: number, count: number, lastRows: number): boolean {
    if (this.filter) for (let i = 0; i < count; i++) this.learn(first + i, i === count - 1 ? lastRows : BLOCK_ROWS)
    // A function may have made memory grow: only now a view holds.
    const view = to()
    let any = 0
    for (let i = 0; i < count; i++) {
      const mask = this.masks ? this.masks[first + i]! : lanes(i === count - 1 ? lastRows : BLOCK_ROWS)
      view[i] = mask
      any |= mask
    }
    return any !== 0
  }

  private learn(block: number, rows: number): void {
    const { ids, filter } = this
    const [masks, known] = [this.masks!, this.known!]
    if (known[block]) return
    let mask = 0
    for (let lane = 0; lane < rows; lane++) {
      const id = ids.at(block * BLOCK_ROWS + lane)
      if (id === NO_ID) continue
      const passes = typeof filter === 'function' ? filter(id) : (filter![id >>> 3] ?? 0) & (1 << (id & 7))
      if (passes) mask |= 1 << lane
    }
    known[block] = 1
    masks[block] = mask
  }
}

/** A mask of the first lanes. */
function lanes(count: number): number {
  return count >= BLOCK_ROWS ? 0xffffffff : 2 ** count - 1
}

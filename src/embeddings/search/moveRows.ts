import { frame, type Engine } from '../engine.js'
import { NO_ID } from './ids.js'
import type { Store } from './store.js'

/** Copies the row at `from` to `to`. */
export function moveRow(engine: Engine, store: Store, from: number, to: number): void {
  frame(engine, (memory) => {
    const row = memory.alloc(store.form.rowBytes)
    store.take(row, from, 1)
    store.place(to, row, 1)
  })
}

/**
 * Moves every row: to[position] says where to, and is overwritten. Follows the cycles of the permutation, and the
 * chains that end in places without a row.
 */
export function permuteRows(engine: Engine, store: Store, to: Uint32Array<ArrayBuffer>): void {
  frame(engine, (memory) => {
    const { rowBytes } = store.form
    let row = memory.alloc(rowBytes)
    let other = memory.alloc(rowBytes)
    for (let start = 0; start < to.length; start++) {
      let target = to[start]!
      if (target === NO_ID || target === start) continue
      store.take(row, start, 1)
      store.clear(start)
      to[start] = NO_ID
      while (target < to.length && to[target] !== NO_ID) {
        store.take(other, target, 1)
        store.place(target, row, 1)
        const next = to[target]!
        to[target] = NO_ID
        target = next
        const moved = row
        row = other
        other = moved
      }
      store.place(target, row, 1)
    }
  })
}

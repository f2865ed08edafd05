import { rangeError, typeError } from '../../core/errors.js'
import { checkOptions, show } from '../../core/check.js'
import { LAST_ID, type Ids } from './ids.js'
import type { AddOptions } from './options.js'

/** The ids of `count` rows that come: those of the caller, none of which is known, or the next numbers. */
export function newIds(verb: string, known: Ids, options: AddOptions, count: number): Uint32Array<ArrayBuffer> {
  checkOptions(verb, options, ['ids'])
  if (options.ids === undefined) {
    if (known.next + count > LAST_ID + 1) {
      throw rangeError(`${verb}: "ids" expected numbers up to ${LAST_ID}, which the next would exceed; give "ids"`)
    }
    return Uint32Array.from({ length: count }, (_, i) => known.next + i)
  }
  const ids = readIds(verb, options.ids, count)
  const twice = repeated(ids)
  if (twice !== undefined) throw rangeError(`${verb}: "ids" expected each id once, got ${twice} twice`)
  // What is beyond the greatest is new.
  const taken = ids.find((id) => id < known.next && known.find(id) >= 0)
  if (taken !== undefined) {
    throw rangeError(`${verb}: "ids" expected ids that the index does not have, got ${taken}; remove it first`)
  }
  return ids
}

/** Ids as whole numbers; `count` of them, where that is given. */
export function readIds(verb: string, value: unknown, count?: number): Uint32Array<ArrayBuffer> {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
  if (!isList) {
    throw typeError(`${verb}: "ids" expected whole numbers, got ${show(value)}`)
  }
  const given = value as ArrayLike<unknown>
  if (count !== undefined && given.length !== count) {
    throw rangeError(`${verb}: "ids" expected ${count}, one for each vector, got ${given.length}`)
  }
  const ids = new Uint32Array(given.length)
  for (let i = 0; i < ids.length; i++) {
    const id = given[i]
    if (typeof id !== 'number') {
      const hint = typeof id === 'string' ? '; keep a list of your names and give their places in it' : ''
      throw typeError(`${verb}: "ids" expected whole numbers, got ${show(id)} at ${i}${hint}`)
    }
    if (!Number.isInteger(id) || id < 0 || id > LAST_ID) {
      throw rangeError(`${verb}: "ids" expected whole numbers from 0 to ${LAST_ID}, got ${id} at ${i}`)
    }
    ids[i] = id
  }
  return ids
}

/** An id that is there twice, if any. */
function repeated(ids: Uint32Array): number | undefined {
  const sorted = ids.slice().sort()
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) return sorted[i]
  return undefined
}

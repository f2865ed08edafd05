import type { Coding } from '../codec/codec.js'
import { coding } from '../codec/coding.js'
import type { Collection } from './collection.js'
import { makeLists } from './makeLists.js'

/** What an index takes to encode vectors and to make lists. A page that only searches does without. */
export interface Encoder extends Coding {
  /** makes lists of all rows */
  readonly makeLists: (collection: Collection, lists: number, seed: number) => void
}

/** Lets an index that is opened take new vectors: `openIndex(input, { encoder })`. What `createIndex` makes has it. */
export const encoder: Encoder = /* @__PURE__ */ Object.assign({ makeLists }, coding)

// For bundlers: the package by its name. No await at the top, which not all of their formats have.
import * as entries from './all.mjs'
import { answer } from './answer.mjs'

answer(entries).then((result) => {
  globalThis.result = result
})

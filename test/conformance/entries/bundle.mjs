// For bundlers: the package by its name. No await at the top, which not all of their formats have.
import * as tersor from 'tersor'
import * as model from 'tersor/model'
import { answer } from './answer.mjs'

answer(tersor, model).then((result) => {
  globalThis.result = result
})

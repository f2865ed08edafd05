// For browsers without a bundler: modules by their addresses.
import * as tersor from './node_modules/tersor/build/index.js'
import * as model from './node_modules/tersor/build/model.js'
import { answer } from './answer.mjs'

globalThis.result = await answer(tersor, model)

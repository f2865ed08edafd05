// For browsers without a bundler: modules by their addresses.
import * as tersor from './node_modules/tersor/build/index.js'
import * as embeddings from './node_modules/tersor/build/embeddings.js'
import * as distill from './node_modules/tersor/build/distill.js'
import * as linalg from './node_modules/tersor/build/linalg.js'
import * as model from './node_modules/tersor/build/model.js'
import * as pool from './node_modules/tersor/build/pool.js'
import * as prune from './node_modules/tersor/build/prune.js'
import * as quantize from './node_modules/tersor/build/quantize.js'
import { answer } from './answer.mjs'

globalThis.result = await answer({ tersor, embeddings, model, pool, domains: { quantize, prune, distill, linalg } })

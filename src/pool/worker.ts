import { programs as decompositions } from './programs/decompositions.js'
import { programs as distill } from './programs/distill.js'
import { programs as lowRank } from './programs/lowRank.js'
import { programs as products } from './programs/products.js'
import { programs as prune } from './programs/prune.js'
import { programs as quantize } from './programs/quantize.js'
import { programs as solvers } from './programs/solvers.js'
import { start } from './runtime.js'

// The script of tersor/worker.js, which serves pools of any domains.
start(quantize, prune, distill, products, decompositions, solvers, lowRank)

// The package's entries by their names.
import * as distill from 'tersor/distill'
import * as linalg from 'tersor/linalg'
import * as prune from 'tersor/prune'
import * as quantize from 'tersor/quantize'

export * as tersor from 'tersor'
export * as embeddings from 'tersor/embeddings'
export * as model from 'tersor/model'
export * as pool from 'tersor/pool'
export const domains = { quantize, prune, distill, linalg }

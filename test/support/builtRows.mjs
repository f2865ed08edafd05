// Prints the hashes of the package as it is built, on this Node. It finds itself by its own name.
import * as tersor from 'tersor'
import * as embeddings from 'tersor/embeddings'
import * as model from 'tersor/model'
import * as pool from 'tersor/pool'
import { conformance } from '../conformance/rows.mjs'

const { table } = await conformance({ tersor, embeddings, model, pool, domains: {} })
console.log(JSON.stringify(table))

import { evaluate } from '../embeddings/index.js'
import { printEvaluation } from './compressVectors.js'
import { FileError } from './errors.js'
import { printJson } from './output.js'
import { indexFrom, vectorsFor } from './vectors.js'

interface Options {
  against: string
  queries?: string
  k?: number
  oversampling?: number
  confidence?: number
  seed?: number
  json?: boolean
}

/** tersor evaluate INDEX --against VECTORS */
export async function evaluateIndex(file: string, options: Options): Promise<void> {
  const { against, queries, k, oversampling, confidence, seed, json } = options
  const index = await indexFrom(file)
  const vectors = await vectorsFor(index, file, against)
  // A number, or a file; without a file, vectors are searched for among the others.
  const isFile = queries !== undefined && !/^\d+$/.test(queries)
  const given = isFile ? await vectorsFor(index, file, queries) : queries === undefined ? undefined : Number(queries)
  const least = isFile ? 1 : 2
  const count = vectors.shape[0]!
  if (count < least) throw new FileError(`${against}: expected at least ${least} vectors, got ${count}`)
  const settings = { queries: given, k, oversampling, confidence, seed }
  const report = evaluate(
    index.codec,
    vectors,
    Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  )
  if (json) printJson({ index: file, against, ...report })
  else printEvaluation(report)
}

import { UsageError } from './errors.js'
import type { VectorsLike } from '../embeddings/index.js'
import { printJson, printTable } from './output.js'
import { indexFrom, vectorsFor } from './vectors.js'

interface Options {
  query?: string
  vector?: string
  k?: number
  oversampling?: number
  probes?: number
  json?: boolean
}

/** What an index fills up with where it holds fewer. */
const NONE = 0xffffffff

/** tersor search INDEX --query FILE */
export async function search(
  file: string,
  { query, vector, k = 10, oversampling, probes, json }: Options
): Promise<void> {
  if ((query === undefined) === (vector === undefined)) {
    throw new UsageError('give the vectors to search for: either --query or --vector')
  }
  const index = await indexFrom(file)
  const queries: VectorsLike = query === undefined ? [numbers(vector!)] : await vectorsFor(index, file, query)
  const found = index.search(queries, {
    k,
    ...(oversampling === undefined ? {} : { oversampling }),
    ...(probes === undefined ? {} : { probes })
  })
  const { data, shape } = found.ids
  const results = Array.from({ length: shape[0]! }, (_, q) =>
    Array.from(data.subarray(q * k, (q + 1) * k), (id, rank) => ({
      id,
      score: found.scores.data[q * k + rank]!
    })).filter(({ id }) => id !== NONE)
  )
  if (json) printJson({ index: file, k, results })
  else {
    printTable(
      ['query', 'rank', 'id', 'score'],
      results.flatMap((row, q) =>
        row.map(({ id, score }, rank) => [String(q), String(rank + 1), String(id), score.toFixed(6)])
      )
    )
  }
}

function numbers(text: string): number[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Said below.
  }
  if (Array.isArray(value) && value.length > 0 && value.every((x) => typeof x === 'number')) return value as number[]
  throw new UsageError('--vector expected a list of numbers such as "[0.1, 0.2]"')
}

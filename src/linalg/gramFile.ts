import { FormatError } from '../core/errors.js'
import { isLength, type FileTensor } from '../files/dtypes.js'
import { isRecord, malformed, METADATA_KEY, parseEntry } from '../files/entry.js'
import { brief } from '../files/names.js'
import { decodeSafetensors } from '../files/safetensors.js'
import { artefactPieces } from '../files/writeArtefact.js'
import { overlapOf, rangesOf } from './rowTree.js'
import type { GramKind, GramParts, GramSettings, NodeArray } from './gramKind.js'
import { LEAF, rowsOf, type Placed } from './mergeTree.js'
import { LIMIT, type RowRun } from './rows.js'

const KIND = 'gram'
const VERSION = 1

/** A Gram as the pieces of a safetensors file (docs/formats.md). They are views: they hold until it changes. */
export function gramPieces(parts: GramParts, kind: GramKind<unknown>): Uint8Array[] {
  const { nodes, runs, dimensions, ...settings } = parts
  const tensors = nodes.flatMap(({ node }, i) =>
    Object.entries(kind.arrays(node)).map(([part, array]) => ({ name: `node${i}:${part}`, ...array }))
  )
  const rows = runs.map(({ count, data }, i) => ({ name: `run${i}`, shape: [count, dimensions], data }))
  const entry = {
    kind: KIND,
    version: VERSION,
    dim: dimensions,
    ...settings,
    nodes: nodes.map(({ level, index }) => ({ level, index })),
    runs: runs.map(({ first, count }) => ({ first, count }))
  }
  return artefactPieces([...tensors, ...rows], entry)
}

/** Reads and checks such bytes. Throws FormatError. */
export function decodeGram(bytes: Uint8Array, kindOf: (settings: GramSettings) => GramKind<unknown>): GramParts {
  const { metadata, tensors } = decodeSafetensors(bytes)
  const text = metadata[METADATA_KEY]
  if (text === undefined) throw new FormatError('bad-header', 'the file lacks the tersor metadata of a Gram')
  const entry = parseEntry(text, KIND, VERSION)
  const settings = parseSettings(entry)
  const { dimensions } = settings
  const kind = kindOf(settings)
  const used = new Set<string>()

  const arrayOf = (name: string): FileTensor | undefined => {
    used.add(name)
    const tensor = tensors.get(name)
    if (tensor && tensor.dtype !== 'F64' && tensor.dtype !== 'F32') {
      throw new FormatError('bad-header', `the Gram's array ${brief(name)} expected F64 or F32, got ${tensor.dtype}`)
    }
    if (tensor && !(tensor.data as Float64Array).every(Number.isFinite)) {
      throw new FormatError('bad-tensor', `the Gram's array ${brief(name)} expected finite numbers`)
    }
    return tensor
  }

  const nodes = listOf(entry, 'nodes').map((value, i): Placed<unknown> => {
    const { level, index } = value
    if (!isLength(level) || !isLength(index) || !fits(index + 1, LEAF * 2 ** level)) {
      throw malformed('expected nodes with a level and an index', value)
    }
    const prefix = `node${i}:`
    const arrays: Record<string, NodeArray> = {}
    for (const name of tensors.keys()) {
      if (!name.startsWith(prefix)) continue
      const { shape, data } = arrayOf(name)!
      if (data instanceof Float64Array) arrays[name.slice(prefix.length)] = { shape, data }
    }
    const node = kind.restore(rowsOf({ level, index })[1], arrays)
    if (node === undefined) {
      throw new FormatError(
        'bad-tensor',
        `the Gram's node ${i} lacks an array, or has one that does not fit ${dimensions} dimensions, or that no rows give`
      )
    }
    return { level, index, node }
  })

  const runs = listOf(entry, 'runs').map((value, i): RowRun => {
    const { first, count } = value
    const within = isLength(first) && isLength(count) && count > 0 && (first % LEAF) + count < LEAF + 1
    if (!within || !fits(first + count, 1)) throw malformed('expected runs of rows, each in one leaf', value)
    const tensor = arrayOf(`run${i}`)
    if (tensor?.shape.join() !== [count, dimensions].join()) {
      throw new FormatError(
        'bad-tensor',
        `the Gram's array "run${i}" expected shape [${count}, ${dimensions}], got ${brief(tensor?.shape)}`
      )
    }
    const data = tensor.data as RowRun['data']
    if (data.some((x) => Math.abs(x) >= LIMIT)) {
      throw new FormatError('bad-tensor', `the Gram's array "run${i}" expected numbers below ${LIMIT}`)
    }
    return { first, count, data }
  })

  const stranger = [...tensors.keys()].find((name) => !used.has(name))
  if (stranger !== undefined)
    throw new FormatError('bad-header', `the Gram's metadata knows no array ${brief(stranger)}`)
  const ranges = rangesOf({ nodes, runs })
  if (overlapOf(ranges, [])) throw malformed('expected rows that are there once', entry.nodes)
  const first = ranges[0]?.first ?? settings.first
  if (first !== settings.first) throw malformed(`expected ${first} as the first row`, settings.first)
  return { ...settings, nodes, runs }
}

/** Whether so many of such a size stay exact. */
const fits = (count: number, size: number): boolean => count * size <= Number.MAX_SAFE_INTEGER

function listOf(entry: Record<string, unknown>, name: string): Record<string, unknown>[] {
  const list = entry[name]
  if (!Array.isArray(list) || !list.every(isRecord)) throw malformed(`expected a list of ${name}`, list)
  return list
}

function parseSettings({
  dim: dimensions,
  center,
  first,
  directions
}: Record<string, unknown>): GramSettings & { first: number } {
  if (!isLength(dimensions) || dimensions === 0) throw malformed('expected a number of dimensions', dimensions)
  if (typeof center !== 'boolean') throw malformed('expected center to be true or false', center)
  if (!isLength(first)) throw malformed('expected a first row', first)
  if (directions !== undefined && !(isLength(directions) && directions > 0 && directions <= dimensions)) {
    throw malformed('expected a number of directions', directions)
  }
  return { dimensions, center, first, directions: directions as number | undefined }
}

import { typeError } from '../../core/errors.js'
import { checkChoice, checkOptions, show } from '../../core/check.js'
import { fileSource, toSource, type ByteInput, type ByteSource } from '../../files/source.js'
import {
  isArrowTable,
  readArrow,
  readParquet,
  type ArrowLibrary,
  type ArrowTable,
  type ParquetLibrary
} from './read/columns.js'
import { readCsv } from './read/csv.js'
import { VECTOR_FORMATS, formatOf, pieceFormatOf, START, type VectorFormat } from './read/format.js'
import type { ReadVectors } from './read/records.js'
import { readTensors } from './read/tensors.js'
import { readJson, readJsonLines, readValue } from './read/text.js'
import { readVecs } from './read/vecs.js'
import type { VectorsLike } from './vectors.js'

export type { ArrowLibrary, ArrowTable, ParquetLibrary } from './read/columns.js'
export type { VectorFormat } from './read/format.js'
export type { ReadVectors } from './read/records.js'

export interface ReadVectorsOptions {
  /** what the input is; recognised by its content where it is left out */
  format?: VectorFormat
  /** the column, field or tensor that holds the vectors; "embedding", "vector", "values" or the only one that can */
  column?: string
  /** the column that holds the ids, "id" */
  id?: string
  /**
   * hyparquet, for Parquet: `import * as parquet from 'hyparquet'`, with the compressors of hyparquet-compressors where
   * they are needed
   */
  parquet?: ParquetLibrary
  /** apache-arrow, for files of Arrow: `import * as arrow from 'apache-arrow'` */
  arrow?: ArrowLibrary
}

const VERB = 'readVectors'
const OPTIONS = ['format', 'column', 'id', 'parquet', 'arrow']

/** Text, a path has neither: a line break, or JSON. */
const isText = (input: string): boolean => /^\s*[[{]/.test(input) || /[\n\r]/.test(input)

const isBytes = (input: object): input is ByteInput =>
  /^(Uint8Array|ArrayBuffer|Blob|File)$/.test(Object.prototype.toString.call(input).slice(8, -1)) ||
  typeof (input as Partial<ByteSource>).read === 'function'

function check(options: ReadVectorsOptions): void {
  checkOptions(VERB, options, OPTIONS)
  if (options.format !== undefined) checkChoice(VERB, 'format', options.format, VECTOR_FORMATS)
  for (const name of ['column', 'id'] as const) {
    const value = options[name]
    if (value !== undefined && typeof value !== 'string') {
      throw typeError(`${VERB}: "${name}" expected a string, got ${show(value)}`)
    }
  }
}

/**
 * Reads vectors from a file, its bytes or text, a table, or records, with their ids and whatever stands beside them.
 *
 * Input: a path (a string; in Node, Deno and Bun); bytes or a Blob; text of JSON, JSON lines or CSV; a table of
 * apache-arrow; or anything that the verbs take for vectors. Formats: JSON (nested arrays, records, answers of
 * embedding APIs); JSON lines (records or vectors); CSV (RFC 4180, with a header and a column of lists like
 * "[0.1,0.2]", as pgvector writes them; or only numbers), .npy, safetensors, .fvecs, .bvecs, .ivecs; Parquet and Arrow
 * through the library that is handed over.
 * Shapes: (n, d), as f32, whatever the numbers are in; a single vector is (1, d).
 *
 * @throws TypeError for an input or an option that is none, RangeError for a column that does not exist
 * @throws FormatError for a file that is broken or of an unknown kind; lines and rows are named
 * @throws the runtime's own error for a path that cannot be opened
 */
export async function readVectors(
  input: string | ByteInput | ArrowTable | VectorsLike,
  options: ReadVectorsOptions = {}
): Promise<ReadVectors> {
  check(options)
  const { column, id } = options
  const asked = { column, id }
  if (typeof input === 'string' && isText(input)) return readBytes(new TextEncoder().encode(input), options)
  if (typeof input === 'object' && input !== null && options.format === undefined) {
    if (isArrowTable(input)) return readArrow(input, asked)
    if (!isBytes(input)) return readValue(input, asked)
  }
  const source = typeof input === 'string' ? await fileSource(input) : toSource(input as ByteInput, VERB)
  try {
    const format = options.format ?? pieceFormatOf(await source.read(0, Math.min(START, source.size)))
    if (format === 'npy' || format === 'safetensors') return { vectors: await readTensors(source, column) }
    const name = typeof input === 'string' ? input : String((input as { name?: unknown }).name ?? '')
    return await readBytes(await source.read(0, source.size), options, name)
  } finally {
    await source.close()
  }
}

async function readBytes(bytes: Uint8Array<ArrayBuffer>, options: ReadVectorsOptions, name = ''): Promise<ReadVectors> {
  const { column, id, parquet, arrow } = options
  const format = options.format ?? formatOf(bytes, name)
  const asked = { column, id }
  switch (format) {
    case 'json':
      return readJson(bytes, asked)
    case 'jsonl':
      return readJsonLines(bytes, asked)
    case 'csv':
      return readCsv(bytes, asked)
    case 'npy':
    case 'safetensors':
      return { vectors: await readTensors(toSource(bytes, VERB), column) }
    case 'parquet':
      if (typeof parquet?.parquetReadObjects === 'function') return readParquet(bytes, parquet, asked)
      throw typeError(
        `${VERB}: "parquet" expected hyparquet, to read a Parquet file with, got ${show(parquet)}; ` +
          "npm install hyparquet, import * as parquet from 'hyparquet', and hand over { parquet }; or give the rows that another library has read"
      )
    case 'arrow':
      if (typeof arrow?.tableFromIPC === 'function')
        return readArrow(arrow.tableFromIPC(bytes), { ...asked, isFile: true })
      throw typeError(
        `${VERB}: "arrow" expected apache-arrow, to read an Arrow file with, got ${show(arrow)}; ` +
          "npm install apache-arrow, import * as arrow from 'apache-arrow', and hand over { arrow }; or give a table"
      )
    default:
      return { vectors: readVecs(bytes, format) }
  }
}

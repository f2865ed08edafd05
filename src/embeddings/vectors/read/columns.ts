import { FormatError } from '../../../core/errors.js'
import { tagOf } from '../../../core/check.js'
import { halves } from './tensors.js'
import { columnOf, Records, type ReadVectors, type RecordOptions } from './records.js'

/** What is used of an Arrow table or record batch (apache-arrow, flechette). */
export interface ArrowTable {
  readonly numRows: number
  readonly schema: { readonly fields: readonly { readonly name: string }[] }
  getChild(name: string): unknown
}

/** What is used of a library that reads Arrow files: apache-arrow, @uwdata/flechette. */
export interface ArrowLibrary {
  tableFromIPC(bytes: Uint8Array): ArrowTable
}

/** What is used of hyparquet; `compressors` are those of hyparquet-compressors, for files that need them. */
export interface ParquetLibrary {
  parquetReadObjects(options: {
    file: { byteLength: number; slice(start: number, end?: number): Promise<ArrayBuffer> }
    compressors?: never
  }): Promise<Record<string, unknown>[]>
  readonly compressors?: unknown
}

interface ArrowColumn {
  get?(row: number): unknown
  at?(row: number): unknown
  readonly type?: { readonly children?: readonly { readonly type?: { readonly precision?: number } }[] }
}

export function isArrowTable(value: unknown): value is ArrowTable {
  const table = value as Partial<ArrowTable> | null
  return (
    typeof table === 'object' &&
    table !== null &&
    typeof table.getChild === 'function' &&
    Array.isArray(table.schema?.fields)
  )
}

/** A cell as plain values: a list is a column of its own in Arrow. */
function plain(value: unknown): unknown {
  const list = value as { toArray?: () => unknown } | null
  return typeof list === 'object' && typeof list?.toArray === 'function' ? list.toArray() : value
}

/** HALF of Arrow's Precision: such columns hold patterns. */
const HALF = 0

/** A table whose column holds lists of numbers. */
export function readArrow(table: ArrowTable, options: RecordOptions): ReadVectors {
  const names = table.schema.fields.map(({ name }) => name)
  const columns = names.map((name) => table.getChild(name) as ArrowColumn)
  const records = new Records(options, table.numRows)
  for (let row = 0; row < table.numRows; row++) {
    const cells = columns.map((column) => plain(column.get ? column.get(row) : column.at?.(row)))
    const record = Object.fromEntries(names.map((name, i) => [name, cells[i]]))
    const vector = columnOf(record, options.column)
    const cell = record[vector]
    const isHalf = columns[names.indexOf(vector)]!.type?.children?.[0]?.type?.precision === HALF
    if (isHalf && ArrayBuffer.isView(cell) && tagOf(cell) === 'Uint16Array') {
      record[vector] = halves('float16', new Uint16Array(cell as Uint16Array))
    }
    records.add(`readVectors: "input", row ${row},`, record)
  }
  return records.finish()
}

/** The records of a Parquet file. Errors of the library are FormatErrors. */
export async function readParquet(
  bytes: Uint8Array<ArrayBuffer>,
  library: ParquetLibrary,
  options: RecordOptions
): Promise<ReadVectors> {
  const slice = async (start: number, end?: number) => bytes.slice(start, end).buffer
  const file = { byteLength: bytes.byteLength, slice }
  let rows: Record<string, unknown>[]
  try {
    rows = await library.parquetReadObjects({ file, compressors: library.compressors as never })
  } catch (error) {
    throw new FormatError('bad-tensor', `Parquet: ${(error as Error).message}`)
  }
  const records = new Records({ ...options, isFile: true }, rows.length)
  for (const [row, record] of rows.entries()) records.add(`readVectors: "input", row ${row},`, record)
  return records.finish()
}

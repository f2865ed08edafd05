import { show } from '../../../core/check.js'
import { FormatError, rangeError, typeError, isArgumentError } from '../../../core/errors.js'
import type { Tensor } from '../../../core/tensor.js'
import { brief } from '../../../files/names.js'
import { embeddingOf, FIELDS, RowCollector } from '../vectors.js'

/** What readVectors gives. */
export interface ReadVectors {
  /** (n, d) */
  vectors: Tensor
  /** the records' ids, where each has one */
  ids?: (string | number)[]
  /** the records without their vectors, where they hold anything else */
  records?: Record<string, unknown>[]
}

/** What is asked of records, beside their vectors. */
export interface RecordOptions {
  column?: string | undefined
  id?: string | undefined
  /** they are a file's, whose fault wrong numbers are */
  isFile?: boolean
}

/** Runs what reads numbers. That those of a file are wrong is no fault of the caller's arguments. */
export function reading<T>(isFile: boolean | undefined, read: () => T): T {
  if (!isFile) return read()
  try {
    return read()
  } catch (error) {
    if (!isArgumentError(error)) throw error
    throw new FormatError('bad-tensor', error.message)
  }
}

/** Whether a field may be a vector: numbers, or text in brackets. */
function looksLikeVector(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((item) => typeof item === 'number')
  if (typeof value === 'string') return /^\s*[[{]\s*[-+.\d][^"]*[\]}]\s*$/s.test(value)
  return ArrayBuffer.isView(value) || typeof (value as { toArray?: unknown } | null)?.toArray === 'function'
}

/** The field that holds the vectors, by its name or, where none has one of these, by what it holds. */
export function columnOf(record: Readonly<Record<string, unknown>>, wanted?: string): string {
  const names = Object.keys(record)
  const list = names.map(brief).join(', ') || 'none'
  if (wanted !== undefined) {
    if (Object.hasOwn(record, wanted)) return wanted
    throw rangeError(`readVectors: "column" expected one of the columns (${list}), got ${show(wanted)}`)
  }
  const named = FIELDS.find((field) => embeddingOf(record) !== undefined && record[field] === embeddingOf(record))
  if (named) return named
  const [found, ...others] = names.filter((name) => looksLikeVector(record[name]))
  if (found !== undefined && !others.length) return found
  const what = found === undefined ? 'a column of vectors' : 'one column of vectors'
  throw rangeError(`readVectors: "input" expected ${what}, got ${list}; say which it is: { column: "name" }`)
}

/** An id as it can be kept: 64-bit integers of databases are numbers where those hold them exactly. */
function idOf(value: unknown): string | number | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (typeof value !== 'bigint') return undefined
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

/** Collects records: their vectors, ids and what is left. */
export class Records {
  private readonly rows: RowCollector
  private readonly ids: (string | number)[] = []
  private readonly rest: Record<string, unknown>[] = []
  private column: string | undefined
  private hasRest = false

  constructor(
    private readonly options: RecordOptions,
    expected?: number
  ) {
    this.rows = new RowCollector(expected)
  }

  /** Adds one; `place` names it in messages. */
  add(place: string, record: Readonly<Record<string, unknown>>): void {
    this.column ??= columnOf(record, this.options.column)
    const { [this.column]: vector, ...rest } = record
    reading(this.options.isFile, () => this.rows.add(place, { embedding: vector }))
    this.rest.push(rest)
    this.hasRest ||= Object.keys(rest).length > 0
    const { id: name = 'id' } = this.options
    const id = idOf(record[name])
    if (id !== undefined) this.ids.push(id)
    else if (this.options.id !== undefined) {
      reading(this.options.isFile, () => {
        throw typeError(`${place} expected a string or a number as ${show(name)}, got ${show(record[name])}`)
      })
    }
  }

  finish(): ReadVectors {
    const { ids, rest } = this
    return {
      vectors: this.rows.finish(),
      ...(ids.length === rest.length && ids.length > 0 ? { ids } : {}),
      ...(this.hasRest ? { records: rest } : {})
    }
  }
}

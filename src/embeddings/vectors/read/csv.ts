import { FormatError } from '../../../core/errors.js'
import { brief } from '../../../files/names.js'
import { Records, type ReadVectors, type RecordOptions } from './records.js'
import { lines } from './text.js'

// RFC 4180: records end in CRLF (or LF), fields may be quoted, a quote inside is written twice.

const QUOTE = '"'

/** The fields of a record, from as many lines as its quotes span. */
interface CsvRecord {
  fields: string[]
  line: number
}

function* csvRecords(bytes: Uint8Array): Generator<CsvRecord> {
  let pending: string[] = []
  let first = 0
  let isOpen = false
  for (const { text, line } of lines(bytes)) {
    if (!isOpen) first = line
    pending.push(text)
    // After an odd number of quotes the line goes on inside a field.
    for (let at = text.indexOf(QUOTE); at >= 0; at = text.indexOf(QUOTE, at + 1)) isOpen = !isOpen
    if (isOpen) continue
    const record = pending.join('\n').replace(/\r$/, '')
    pending = []
    if (record) yield { fields: fieldsOf(record, first), line: first }
  }
  if (isOpen) throw new FormatError('truncated', `CSV, line ${first}: a quote is opened and never closed`)
}

function fieldsOf(record: string, line: number): string[] {
  const fields: string[] = []
  for (let at = 0; at <= record.length; at++) {
    if (record[at] !== QUOTE) {
      const comma = record.indexOf(',', at)
      const end = comma < 0 ? record.length : comma
      fields.push(record.slice(at, end))
      at = end
      continue
    }
    let field = ''
    for (;;) {
      const end = record.indexOf(QUOTE, at + 1)
      field += record.slice(at + 1, end)
      at = end + 1
      if (record[at] !== QUOTE) break
      field += QUOTE
    }
    if (at < record.length && record[at] !== ',') {
      throw new FormatError(
        'bad-tensor',
        `CSV, line ${line}: expected a comma after a closing quote, got ${brief(record[at])}`
      )
    }
    fields.push(field)
  }
  return fields
}

const isNumeric = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))

/** A whole number that is written as JavaScript writes it is a number; '007' stays text. */
const idOf = (text: string): string | number =>
  Number.isSafeInteger(Number(text)) && String(Number(text)) === text ? Number(text) : text

/** CSV with a header and a column of vectors, or, without a header, a number for each coordinate. */
export function readCsv(bytes: Uint8Array, options: RecordOptions): ReadVectors {
  const records = new Records({ ...options, isFile: true })
  const { id = 'id' } = options
  let names: string[] | undefined
  let isMatrix = false
  for (const { fields, line } of csvRecords(bytes)) {
    const place = `readVectors: "input", line ${line},`
    if (!names) {
      isMatrix = fields.length > 1 && fields.every(isNumeric)
      names = fields.map((name) => name.trim())
      if (new Set(names).size < names.length && !isMatrix) {
        throw new FormatError('duplicate-name', `${place} expected a header with each column once, got ${brief(names)}`)
      }
      if (names.some((name) => name.includes('\r'))) {
        throw new FormatError(
          'bad-header',
          `${place} expected lines that end in LF or CRLF, got CR alone; rewrite them`
        )
      }
      if (!isMatrix) continue
    }
    if (fields.length !== names.length) {
      const hint = fields.some((field) => field.startsWith('[')) ? '; a vector has to be quoted: "[0.1,0.2]"' : ''
      throw new FormatError(
        'bad-tensor',
        `${place} expected ${names.length} fields, as in the first line, got ${fields.length}${hint}`
      )
    }
    if (isMatrix) {
      const other = fields.findIndex((field) => !isNumeric(field))
      if (other >= 0) {
        throw new FormatError('bad-tensor', `${place} expected a number in field ${other}, got ${brief(fields[other])}`)
      }
      records.add(place, { embedding: fields.map(Number) })
      continue
    }
    const record: Record<string, unknown> = Object.fromEntries(names.map((name, i) => [name, fields[i]!]))
    if (Object.hasOwn(record, id)) record[id] = idOf(record[id] as string)
    records.add(place, record)
  }
  if (!names) throw new FormatError('truncated', 'CSV: expected a header and records, got none')
  return records.finish()
}

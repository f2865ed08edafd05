import { isLength } from '../../files/dtypes.js'
import { malformed } from '../../files/entry.js'
import { LAST_ID } from './ids.js'
import { ORIGINALS, type OriginalsFormat } from './loaded.js'
import { MOST_LISTS, type IndexSettings } from './options.js'

export const KIND = 'index'
export const VERSION = 1

/** What the metadata of an index's file says beside its arrays (docs/formats.md). */
export interface IndexEntry {
  readonly settings: IndexSettings
  readonly rows: number
  /** the id that the next row gets which brings none */
  readonly next: number
}

export function writeEntry({ settings, rows, next }: IndexEntry): object {
  const { lists, seed, originals } = settings
  return { kind: KIND, version: VERSION, rows, next, lists, seed, originals }
}

/** Reads such metadata and checks it. Throws FormatError. */
export function readEntry(entry: Readonly<Record<string, unknown>>): IndexEntry {
  const { rows, next } = entry
  if (!isLength(rows) || rows > LAST_ID + 1) throw malformed('expected a number of rows', rows)
  if (!isLength(next) || next < rows || next > LAST_ID + 1) {
    throw malformed(`expected the next id, at least ${rows}`, next)
  }
  return { settings: readSettings(entry), rows, next }
}

function readSettings({ lists, seed, originals }: Record<string, unknown>): IndexSettings {
  if (!isLength(lists) || lists < 1 || lists > MOST_LISTS) throw malformed('expected a number of lists', lists)
  if (!isLength(seed)) throw malformed('expected a seed', seed)
  if (originals !== undefined && !ORIGINALS.includes(originals as OriginalsFormat)) {
    throw malformed(`expected originals of ${ORIGINALS.join(', ')}`, originals)
  }
  return { lists, seed, originals: originals as OriginalsFormat | undefined }
}

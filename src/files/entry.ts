import { FormatError } from '../core/errors.js'
import { brief } from './names.js'

/** The metadata entry that says what an artefact's arrays mean (docs/formats.md). */
export const METADATA_KEY = 'tersor'

/**
 * Reads the entry of an artefact of this kind and version. Throws FormatError for another one, or for what is no entry.
 */
export function parseEntry(text: string, kind: string, version: number): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('is not JSON', text)
  }
  if (!isRecord(value)) throw malformed('expected an object', value)
  if (value.kind !== kind || value.version !== version) {
    throw new FormatError(
      'unsupported-version',
      `the file holds a tersor artefact of kind ${brief(value.kind)}, version ${brief(value.version)}; ` +
        `expected kind ${brief(kind)}, version ${version}: open it as what it is, or with a newer release`
    )
  }
  return value
}

/** The error for an entry that is not as docs/formats.md says. */
export function malformed(what: string, got: unknown): FormatError {
  return new FormatError('bad-header', `the file's tersor metadata ${what}, got ${brief(got)}`)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

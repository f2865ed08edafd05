import type { ErrorCode } from '../index.js'

/** A command line that asks for what cannot be. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A file that could not be read or written. */
export class FileError extends Error {
  override readonly name = 'FileError'
}

const ARGUMENTS: ReadonlySet<unknown> = new Set<ErrorCode>([
  'invalid-type',
  'invalid-value',
  'unknown-option',
  'not-finite',
  'detached'
])

/** Whether the library refused an argument. Its code says so, not its class: a TypeError without one is a fault. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && ARGUMENTS.has((error as { code?: unknown }).code)
}

/** Whether memory is too small for what was to be read. */
export function isTooLarge(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 'memory-limit'
}

/** Whether the command line is at fault. */
export function isUsage(error: unknown): boolean {
  return error instanceof UsageError || isRefusal(error)
}

/** Whether nobody but this program is at fault: an error that it does not know. */
export function isInternal(error: Error): boolean {
  const { code } = error as { code?: unknown }
  return !(error instanceof UsageError || error instanceof FileError) && (code === undefined || code === 'internal')
}

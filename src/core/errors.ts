/** Why a file could not be read: the stable part of a {@link FormatError}. */
export type FormatErrorCode =
  | 'truncated'
  | 'bad-magic'
  | 'bad-header'
  | 'bad-offsets'
  | 'duplicate-name'
  | 'unsupported-dtype'
  | 'unsupported-version'
  | 'unknown-format'
  | 'bad-tensor'

/** A file that is not what it says it is. `code` is stable; the message is for people. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
  constructor(
    readonly code: FormatErrorCode,
    message: string
  ) {
    super(message)
  }
}

/** The core's memory cannot hold what an operation needs. Thrown before anything is written. */
export class MemoryLimitError extends Error {
  override readonly name = 'MemoryLimitError'
  constructor(
    /** bytes that the operation needs in all */
    readonly needed: number,
    /** bytes that the engine may have */
    readonly limit: number
  ) {
    super(
      `the operation needs ${needed} bytes of WebAssembly memory, the limit is ${limit}; ` +
        'work on a smaller tensor or on slices of it'
    )
  }
}

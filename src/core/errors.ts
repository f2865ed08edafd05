/** Why a file could not be read: the code of a {@link FormatError}. */
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

/** What is wrong with an argument. The error is a TypeError or a RangeError. */
export type ArgumentErrorCode =
  /** a value of another type, class or form */
  | 'invalid-type'
  /** a value outside its range, or one that does not fit the others */
  | 'invalid-value'
  /** an option that the verb does not have */
  | 'unknown-option'
  /** NaN or Infinity in data */
  | 'not-finite'
  /** an array whose buffer was transferred */
  | 'detached'

/** What the surroundings refuse. */
export type StateErrorCode =
  /** no WebAssembly, or none with SIMD */
  | 'unsupported-runtime'
  /** a policy that lets nobody compile */
  | 'forbidden'
  /** a kernel module whose bytes are damaged */
  | 'damaged-module'
  /** an index that was opened for searching alone, and is to encode */
  | 'no-encoder'
  /** an index that a search is using, whose callback calls it */
  | 'busy'
  /** a pool or a file that was closed */
  | 'closed'
  /** a worker that cannot start, or died */
  | 'worker-lost'
  /** a path where there is no file system */
  | 'no-file-system'
  /** a path of a folder or a device */
  | 'not-a-file'
  /** a fault of this library */
  | 'internal'

/** The stable `code` of every error that tersor throws. Messages are for people and may change. */
export type ErrorCode = FormatErrorCode | ArgumentErrorCode | StateErrorCode | 'memory-limit'

function coded<E extends Error, C extends ErrorCode>(error: E, code: C): E & { code: C } {
  return Object.assign(error, { code })
}

/** An argument of the wrong type. */
export function typeError(
  message: string,
  code: ArgumentErrorCode = 'invalid-type',
  options?: ErrorOptions
): TypeError & { code: ArgumentErrorCode } {
  return coded(new TypeError(message, options), code)
}

/** An argument of the right type with a wrong value. */
export function rangeError(
  message: string,
  code: ArgumentErrorCode = 'invalid-value'
): RangeError & { code: ArgumentErrorCode } {
  return coded(new RangeError(message), code)
}

/** An error of the surroundings. */
export function stateError(
  code: StateErrorCode,
  message: string,
  options?: ErrorOptions
): Error & { code: StateErrorCode } {
  return coded(new Error(message, options), code)
}

/** A fault of this library. The message says so. */
export function internalError(message: string): Error & { code: StateErrorCode } {
  return stateError('internal', `internal error of tersor: ${message}; please report it`)
}

const ARGUMENT_CODES: ReadonlySet<unknown> = /* @__PURE__ */ new Set<ArgumentErrorCode>([
  'invalid-type',
  'invalid-value',
  'unknown-option',
  'not-finite',
  'detached'
])

/** Whether an error is about an argument, and not a fault of this library: those carry no such code. */
export function isArgumentError(error: unknown): error is (TypeError | RangeError) & { code: ArgumentErrorCode } {
  return error instanceof Error && ARGUMENT_CODES.has((error as { code?: unknown }).code)
}

/** Memory that the runtime does not give for what a file holds. */
export function noMemoryError(bytes: number, cause: unknown): RangeError & { code: 'memory-limit' } {
  const message = `expected memory for ${bytes} bytes at once, which this runtime does not give; read fewer rows`
  return coded(new RangeError(message, { cause }), 'memory-limit')
}

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
  readonly code = 'memory-limit'
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

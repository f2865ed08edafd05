import { rangeError, typeError } from './errors.js'

/** How a value reads in an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function (call it, or await what it returns, first)'
  if (value === null || typeof value !== 'object') return String(value)
  if (ArrayBuffer.isView(value))
    return `${value.constructor.name}(${(value as { length?: number }).length ?? value.byteLength})`
  if (Array.isArray(value)) return value.length > 8 ? `an array of ${value.length}` : `[${value.map(show).join(', ')}]`
  return `an object with ${Object.keys(value).join(', ') || 'no properties'}`
}

/** Options are closed: a name that is not known is an error that lists those that are. */
export function checkOptions(verb: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw typeError(`${verb}: "options" expected an object with ${known.join(', ')}, got ${show(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw typeError(`${verb}: unknown option "${name}"; expected ${known.join(', ')}`, 'unknown-option')
    }
  }
}

export function checkChoice<T extends string>(verb: string, name: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T
  throw typeError(`${verb}: "${name}" expected one of ${choices.join(', ')}, got ${show(value)}`)
}

export function checkBoolean(verb: string, name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw typeError(`${verb}: "${name}" expected true or false, got ${show(value)}`)
}

/** A number with least <= value <= most. */
export function checkNumber(verb: string, name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw typeError(`${verb}: "${name}" expected a number, got ${show(value)}`)
  if (!(value >= least && value <= most)) {
    throw rangeError(`${verb}: "${name}" expected a number in [${least}, ${most}], got ${value}`)
  }
  return value
}

/** A finite number above 0. */
export function checkPositive(verb: string, name: string, value: unknown): number {
  if (typeof value !== 'number') throw typeError(`${verb}: "${name}" expected a number, got ${show(value)}`)
  if (!(value > 0 && value < Infinity)) {
    throw rangeError(`${verb}: "${name}" expected a finite number above 0, got ${value}`)
  }
  return value
}

/** A whole number with least <= value <= most. */
export function checkInteger(verb: string, name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw typeError(`${verb}: "${name}" expected a whole number, got ${show(value)}`)
  if (!Number.isInteger(value) || value < least || value > most) {
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
    throw rangeError(`${verb}: "${name}" expected a whole number ${range}, got ${value}`)
  }
  return value
}

type TypedArrayClass<T> = new (length: number) => T

/**
 * Whether a value is such a typed array, also one of another realm (a frame, a sandbox), where `instanceof` says no.
 */
export function isArrayOf<T>(value: unknown, type: TypedArrayClass<T>): value is T {
  return ArrayBuffer.isView(value) && (value instanceof type || tagOf(value) === type.name)
}

/** The name of an object's class. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** An array whose buffer was transferred has length 0 and would pass for an empty one. */
export function checkAttached(where: string, array: unknown): void {
  if (!ArrayBuffer.isView(array) || array.byteLength > 0 || array.buffer.byteLength > 0) return
  try {
    new Uint8Array(array.buffer)
  } catch {
    throw typeError(
      `${where} expected data, got an array whose buffer was transferred; keep a copy (data.slice())`,
      'detached'
    )
  }
}

/** The caller's array to write to, of one class and length, or a fresh one where none is given. */
export function outputArray<T extends { length: number }>(
  verb: string,
  name: string,
  given: unknown,
  type: TypedArrayClass<T>,
  length: number
): T {
  if (given === undefined) return new type(length)
  if (!isArrayOf(given, type)) {
    throw typeError(`${verb}: "${name}" expected a ${type.name}(${length}) to write to, got ${show(given)}`)
  }
  if (given.length !== length) {
    checkAttached(`${verb}: "${name}"`, given)
    throw rangeError(`${verb}: "${name}" expected length ${length}, got ${given.length}`)
  }
  return given
}

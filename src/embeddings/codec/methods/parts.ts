import { FormatError, rangeError } from '../../../core/errors.js'
import type { Tensor } from '../../../core/tensor.js'
import type { Method, Tables } from '../quantizer.js'

/** The f32 table `name` of this shape of a codec's file. */
export function readTable(
  method: Method,
  tables: Tables,
  name: string,
  ...shape: number[]
): Tensor<Float32Array<ArrayBuffer>> {
  const table = tables[name]
  const data = table?.data
  if (
    !table ||
    !(data instanceof Float32Array) ||
    table.shape.join() !== shape.join() ||
    !data.every(Number.isFinite)
  ) {
    const got = table ? table.shape.join('x') : 'none'
    throw new FormatError(
      'bad-tensor',
      `${method}: "${name}" expected ${shape.join('x')} finite float32 numbers, got ${got}`
    )
  }
  return { data, shape }
}

/** Tables that a method knows, and no others. */
export function checkTables(method: Method, tables: Tables, known: readonly string[]): void {
  const unknown = Object.keys(tables).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new FormatError('bad-tensor', `${method}: expected ${known.join(', ') || 'no'} tables, got "${unknown}"`)
  }
}

/** The parameter `name` of a codec's file, which `check` accepts. */
export function readParameter<T extends number | string | boolean>(
  method: Method,
  parameters: Readonly<Record<string, unknown>>,
  name: string,
  expected: string,
  check: (value: unknown) => value is T
): T {
  const value = parameters[name]
  if (!check(value)) {
    throw new FormatError('bad-header', `${method}: "${name}" expected ${expected}, got ${String(value)}`)
  }
  return value
}

export const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'

export const isSeed = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

export function isWithin(least: number, most: number): (value: unknown) => value is number {
  return (value): value is number => typeof value === 'number' && value >= least && value <= most
}

export function isOneOf<T extends number | string>(choices: readonly T[]): (value: unknown) => value is T {
  return (value): value is T => choices.includes(value as T)
}

/** The bits asked for, of those that a method has. */
export function chosenBits(method: Method, bits: unknown, known: readonly number[], otherwise: number): number {
  const value = bits ?? otherwise
  if (!known.includes(value as number)) {
    throw rangeError(`fitCodec: "bits" expected one of ${known.join(', ')} for ${method}, got ${String(value)}`)
  }
  return value as number
}

import type { Engine } from '../../engine.js'
import { FormatError } from '../../../core/errors.js'
import type { Memory, Pointer } from '../../../core/memory.js'
import type { Tensor } from '../../../core/tensor.js'
import type { Method, Parameters, Tables } from '../quantizer.js'

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
  parameters: Parameters,
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

/** A whole number from 1 on. */
export function isCount(most: number): (value: unknown) => value is number {
  return (value): value is number => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most
}

/** A table of floats in an engine, in the frame that is open. */
export function putTable({ memory }: Engine, tables: Tables, name: string): Pointer {
  return putFloats(memory, tables[name]!.data)
}

/** Floats in an engine, in the frame that is open. */
export function putFloats(memory: Memory, data: ArrayLike<number>): Pointer {
  const pointer = memory.alloc(4 * data.length)
  memory.f32(pointer, data.length).set(data)
  return pointer
}

import { rangeError, typeError } from '../core/errors.js'
import { checkAttached, checkChoice, checkNumber, checkPositive, show } from '../core/check.js'
import { elementAt, readTensor, type Source } from '../core/tensor.js'
import { TILE } from '../core/tiles.js'

export type Reduction = 'none' | 'mean' | 'batchMean' | 'sum'

export interface Logits {
  readonly source: Source
  readonly rows: number
  readonly classes: number
}

/** Leading dimensions are rows, the last one classes. */
export function readLogits(verb: string, name: string, value: unknown): Logits {
  const source = readTensor(verb, name, value)
  const classes = source.shape.at(-1)
  if (!classes) {
    throw rangeError(`${source.name} expected a last dimension of classes, got shape [${source.shape.join(', ')}]`)
  }
  return { source, rows: source.size / classes, classes }
}

export function checkSameShape(verb: string, student: Source, teacher: Source): void {
  const same = student.shape.length === teacher.shape.length && student.shape.every((n, i) => n === teacher.shape[i])
  if (!same) {
    throw rangeError(
      `${verb}: "teacher" expected shape [${student.shape.join(', ')}] as the student's, got [${teacher.shape.join(', ')}]`
    )
  }
}

/** For what multiplies and divides gradients by it: any further and they might leave f32. */
export function checkTemperature(verb: string, temperature: unknown = 1): number {
  const checked = checkPositive(verb, 'temperature', temperature)
  return checkNumber(verb, 'temperature', checked, 1e-30, 1e30)
}

export function checkReduction(verb: string, reduction: unknown): Reduction {
  return checkChoice(verb, 'reduction', reduction, ['none', 'mean', 'batchMean', 'sum'])
}

/** The array of labels that are given as one or as a tensor. */
export function labelArray(labels: unknown): unknown {
  return typeof labels === 'object' && labels !== null && 'data' in labels ? labels.data : labels
}

/** Class numbers, one a row, as any array of whole numbers (64-bit ones too). */
export function readLabels(verb: string, labels: unknown, rows: number, classes: number): Int32Array<ArrayBuffer> {
  const given = labelArray(labels) as ArrayLike<number | bigint> | null | undefined
  if (typeof given !== 'object' || given === null || typeof given.length !== 'number') {
    throw typeError(`${verb}: "labels" expected an array of ${rows} class numbers, got ${show(labels)}`)
  }
  if (given.length !== rows) {
    checkAttached(`${verb}: "labels"`, given)
    throw rangeError(`${verb}: "labels" expected ${rows} class numbers, one a row, got ${given.length}`)
  }
  return Int32Array.from({ length: rows }, (_, row) => {
    const value: unknown = given[row]
    const label = typeof value === 'bigint' ? Number(value) : value
    if (typeof label !== 'number' || !Number.isInteger(label) || label < 0 || label >= classes) {
      throw rangeError(
        `${verb}: "labels" expected class numbers from 0 to ${classes - 1}, got ${show(value)} at row ${row}`
      )
    }
    return label
  })
}

/** Rows that go to the kernels at once: about a tile of logits, at least one. */
export function rowsInLogitTile(classes: number): number {
  return Math.max(1, Math.floor(TILE / classes))
}

/** Calls `visit` for such tiles: the first row and how many, the first element and how many. */
export function eachLogitTile(
  { rows, classes }: Logits,
  visit: (first: number, count: number, start: number, length: number) => void
): void {
  const step = rowsInLogitTile(classes)
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first)
    visit(first, count, first * classes, count * classes)
  }
}

/** The error for a row that a kernel has refused: NaN or +Infinity with its index, or a row with every class masked. */
export function badLogitsError({ source, classes }: Logits, row: number): RangeError {
  const { first = 0 } = source
  for (let i = row * classes; i < (row + 1) * classes; i++) {
    const value = elementAt(source, i)
    if (!(Math.fround(value) < Infinity)) {
      return rangeError(
        `${source.name} expected logits below Infinity (-Infinity masks a class), got ${value} at index ${first + i}`
      )
    }
  }
  return rangeError(
    `${source.name} expected a class that is not masked in each row, but row ${first / classes + row} is all -Infinity`
  )
}

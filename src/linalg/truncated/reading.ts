import { ALL_ZERO } from '../../../assembly/linalg/constants.js'
import type { Pointer } from '../../core/memory.js'
import type { RowReader, Passes } from './passes.js'
import type { Precision } from './precision.js'
import { isEasy, scaleFor } from './scale.js'

/** Takes a slab: `rows` rows from `start` on stand at `at`, `ld` apart. */
export type Visit = (at: Pointer, ld: number, start: number, rows: number) => void

/** What a reading sums; a reading may begin anew. */
export interface Sums {
  readonly clear: () => void
  readonly visit: Visit
}

/**
 * Readings of A 2^-exponent, slab by slab. It knows neither the exponent nor the sum of squares at first:
 * any reading finds the exponent, a measured one the squares.
 */
export class Reading {
  /** of A 2^-exponent; undefined until a measured reading has ended */
  squares: number | undefined
  private found: number | undefined

  constructor(
    private readonly source: RowReader,
    private readonly precision: Precision
  ) {}

  /** 0 until a reading has ended */
  get exponent(): number {
    return this.found ?? 0
  }

  /** One reading; the first reads again where the exponent is not 0. */
  *read(sums: Sums): Passes<void> {
    if (this.found === undefined) {
      this.found = yield* this.probe(sums)
      if (this.found === 0) return
    }
    const { exponent, precision } = this
    sums.clear()
    yield* this.source.pass({
      wide: precision.wide,
      visit: (at, ld, start, rows) => {
        if (exponent !== 0) precision.scale(at, rows * ld, -exponent)
        sums.visit(at, ld, start, rows)
      }
    })
  }

  /** A reading that also sums the squares where they are not known. */
  *measure({ clear, visit }: Sums): Passes<void> {
    if (this.squares !== undefined) return yield* this.read({ clear, visit })
    let sum = 0
    yield* this.read({
      clear: () => {
        sum = 0
        clear()
      },
      visit: (at, ld, start, rows) => {
        sum += this.precision.squares(at, rows * ld)
        visit(at, ld, start, rows)
      }
    })
    this.squares = sum
  }

  /** Reads numbers as they are and returns their exponent; the sums are of use where it is 0. */
  private *probe({ clear, visit }: Sums): Passes<number> {
    const { wide } = this.precision
    let greatest = ALL_ZERO
    clear()
    yield* this.source.pass({
      wide,
      visit: (at, ld, start, rows, exponent) => {
        greatest = Math.max(greatest, exponent)
        // Small ones may yet be followed by others; great ones would overflow.
        if (greatest <= 0 || isEasy(greatest, wide)) visit(at, ld, start, rows)
      }
    })
    return scaleFor(greatest, wide)
  }
}

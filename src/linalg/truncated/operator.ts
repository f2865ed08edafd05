import { rangeError, typeError } from '../../core/errors.js'
import { timesPower } from '../../core/powers.js'
import { isArrayOf, show } from '../../core/check.js'
import type { Engine } from '../decompositionEngine.js'
import { nonFiniteError, readTensor, type Source, type Tensor, type TensorLike } from '../../core/tensor.js'
import type { Access } from './access.js'
import type { Floats } from '../matrix.js'
import type { Passes } from './passes.js'
import { scaleFor } from './scale.js'
import { checkWhole } from './stream.js'
import { innerProducts, makeTall, type FloatsOf, type Tall } from './tall.js'

/** A matrix (m, n) that is known by what it does. */
export interface LinearOperator {
  readonly shape: readonly number[]
  /** A x (m, b) of x (n, b) */
  multiply(x: Tensor<Floats>): TensorLike
  /** A'y (n, b) of y (m, b) */
  multiplyTransposed(y: Tensor<Floats>): TensorLike
  /** Frobenius norm of A, where it is known: targets by energy and error need it */
  readonly norm?: number
}

/** How far the two functions may be from each other's transpose, relative: f32 arithmetic inside them is fine. */
const ADJOINT = 1e-4

/** Products by the caller's functions. */
export class OperatorAccess implements Access {
  private known: number | undefined

  constructor(
    private readonly engine: Engine,
    private readonly verb: string,
    private readonly operator: LinearOperator,
    private readonly type: FloatsOf<Floats>
  ) {}

  get rows(): number {
    return this.operator.shape[0]!
  }

  get columns(): number {
    return this.operator.shape[1]!
  }

  get exponent(): number {
    return this.known ?? 0
  }

  get squares(): number | undefined {
    const { norm } = this.operator
    if (norm === undefined) return undefined
    const size = timesPower(norm, -this.exponent)
    return size * size
  }

  productBytes(): number {
    return 0
  }

  // eslint-disable-next-line require-yield -- what is read by rows has to wait for them
  *times(x: Tall): Passes<Tall> {
    return this.call('multiply', x, this.rows)
  }

  // eslint-disable-next-line require-yield -- as above
  *timesTransposed(y: Tall): Passes<Tall> {
    return this.call('multiplyTransposed', y, this.columns)
  }

  /** <A x, y> and <x, A'y> for all pairs of columns. */
  checkAdjoint(x: Tall, image: Tall, y: Tall, z: Tall): void {
    const { memory, kernels } = this.engine
    const k = x.columns
    let [error, size] = [0, 0]
    memory.frame(() => {
      const [left, right] = [memory.alloc(8 * k * k), memory.alloc(8 * k * k)]
      innerProducts(memory, kernels, left, y, image)
      innerProducts(memory, kernels, right, z, x)
      const other = memory.f64(right, k * k)
      memory.f64(left, k * k).forEach((value, i) => {
        const gap = value - other[i]!
        error += gap * gap
        size += value * value
      })
    })
    if (!(error <= ADJOINT * ADJOINT * size)) {
      const off = kernels.sqrtF64(error / size).toPrecision(3)
      throw rangeError(
        `${this.verb}: "multiplyTransposed" is not the transpose of "multiply": <A x, y> and <x, A'y> differ by ${off} of their size`
      )
    }
  }

  /** The norm that was given, against singular values that were found. */
  checkNorm(s: Float64Array): void {
    const { squares } = this
    const kept = s.reduce((sum, value) => sum + value * value, 0)
    if (squares === undefined || kept <= squares * (1 + ADJOINT)) return
    const least = timesPower(this.engine.kernels.sqrtF64(kept), this.exponent)
    throw rangeError(
      `${this.verb}: "source.norm" expected at least ${least}, that of the singular values found, got ${this.operator.norm}`
    )
  }

  /** The matrix as it is, (m, n), from the products with unit vectors, `width` at a time, of the shorter side. */
  *dense(width: number): Passes<Source> {
    const [m, n] = [this.rows, this.columns]
    checkWhole(this.engine.memory, m * n, isArrayOf(new this.type(0), Float64Array))
    const data = new this.type(m * n)
    const byRows = m < n
    const [length, count] = byRows ? [n, m] : [m, n]
    for (let first = 0; first < count; first += width) {
      const b = Math.min(width, count - first)
      const unit = makeTall(this.type, count, b)
      for (let j = 0; j < b; j++) unit.data[(first + j) * b + j] = 1
      const product = yield* byRows ? this.timesTransposed(unit) : this.times(unit)
      if (first === 0) {
        const back = yield* byRows ? this.times(product) : this.timesTransposed(product)
        this.checkAdjoint(unit, product, product, back)
      }
      for (let i = 0; i < length; i++) {
        for (let j = 0; j < b; j++) {
          const value = timesPower(product.data[i * b + j]!, this.exponent)
          data[byRows ? (first + j) * n + i : i * n + first + j] = value
        }
      }
    }
    return { name: `${this.verb}: "source"`, data, shape: [m, n], size: data.length }
  }

  private call(name: 'multiply' | 'multiplyTransposed', x: Tall, rows: number): Tall {
    const { type, verb } = this
    const b = x.columns
    const given = new type(x.data.length)
    given.set(x.data)
    const answer: unknown = this.operator[name]({ data: given, shape: [x.rows, b] })
    if (answer instanceof Promise) {
      throw typeError(`${verb}: "${name}" expected to return a tensor, got a promise; compute it before it returns`)
    }
    const source = readTensor(verb, name, answer)
    if (source.shape.length !== 2 || source.shape[0] !== rows || source.shape[1] !== b) {
      const [m, n] = this.operator.shape
      throw rangeError(
        `${source.name} expected to return shape [${rows}, ${b}] for [${x.rows}, ${b}] (A is ${m}x${n}), got ${show([...source.shape])}`
      )
    }
    const result = makeTall(isArrayOf(given, Float32Array) ? Float32Array : Float64Array, rows, b)
    if (source.bits) throw typeError(`${source.name} expected to return numbers, got ${source.bits} patterns`)
    result.data.set(source.data)
    if (result.data.some((value) => !Number.isFinite(value))) {
      throw nonFiniteError(source, undefined, isArrayOf(given, Float64Array))
    }
    return this.unscaled(result)
  }

  /** The first product finds the scale. */
  private unscaled(x: Tall): Tall {
    const { memory, kernels } = this.engine
    const known = (this.known ??= memory.frame(() => {
      const at = memory.alloc(8)
      let top = 0
      for (const value of x.data) top = Math.max(top, Math.abs(value))
      memory.f64(at, 1)[0] = top
      return scaleFor(kernels.exponentF64(at, 1), isArrayOf(x.data, Float64Array))
    }))
    if (known !== 0) {
      const exponent = -known
      x.data.forEach((value, i) => (x.data[i] = timesPower(value, exponent)))
    }
    return x
  }
}

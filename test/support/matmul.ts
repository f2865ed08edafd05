import { matmul } from '../../src/index.js'
import { seeded } from './random.js'
import { sizeOf } from './shapes.js'

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

export interface Tensor {
  data: Floats
  shape: number[]
}

export const classOf = (wide: boolean): new (of: Iterable<number> | number) => Floats =>
  (wide ? Float64Array : Float32Array) as new (of: Iterable<number> | number) => Floats

/** Numbers in [-1, 1). */
export function randomOf(shape: number[], seed: number, wide: boolean): Tensor {
  const random = seeded(seed)
  const data = new (classOf(wide))(sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = 2 * random() - 1
  return { data, shape }
}

/** The last two dimensions exchanged. */
export function transposed({ data, shape }: Tensor): Tensor {
  const [rows, columns] = shape.slice(-2)
  const turned = new (classOf(data instanceof Float64Array))(data.length)
  for (let start = 0; start < data.length; start += rows * columns)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) turned[start + j * rows + i] = data[start + i * columns + j]
  return { data: turned, shape: [...shape.slice(0, -2), columns, rows] }
}

export const WAYS = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true }
]

/** All ways of giving the same product. */
export function inAllWays(a: Tensor, b: Tensor): Tensor[] {
  return WAYS.map((way) => matmul(way.transposeA ? transposed(a) : a, way.transposeB ? transposed(b) : b, way))
}

import { byTurns, checkResult, numbers, somePools, type Call } from './pool.js'
import { sizeOf } from './shapes.js'

export const pools = somePools()

let turn = 0
export const check = (call: Call): Promise<void> => checkResult(byTurns(pools, turn++), call)

export interface Tensor {
  data: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
  shape: number[]
}

export const tensor = (shape: number[], seed: number, wide = false): Tensor => {
  const data = numbers(sizeOf(shape), seed)
  return { data: wide ? Float64Array.from(data) : data, shape }
}

const inPlace = ({ data, shape }: Tensor): unknown => {
  const type = data.constructor as new (of: SharedArrayBuffer) => Float32Array
  const shared = new type(new SharedArrayBuffer(data.byteLength))
  shared.set(data)
  return { data: shared, shape }
}

const turned = (shape: number[]): number[] => [...shape.slice(0, -2), ...shape.slice(-2).reverse()]

/** The four ways of asking for a product of these sizes; the numbers differ. */
export async function checkWays(left: number[], right: number[]): Promise<void> {
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const a = tensor(transposeA ? turned(left) : left, 1, turn % 3 === 2)
      const b = tensor(transposeB ? turned(right) : right, 2)
      const options = { transposeA, transposeB }
      await check({ verb: 'matmul', args: [a, b], options })
      await check({ verb: 'matmul', args: [inPlace(a), b], options })
      await check({ verb: 'matmul', args: [a, inPlace(b)], options })
    }
  }
}

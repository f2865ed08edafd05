import { compressModel } from '../../src/model/index.js'
import type { Input } from './models.js'
import { openInputs } from './models.js'
import { normals } from './random.js'

/** A small model. */
export const inputs: Input[] = [
  { name: 'fc.weight', shape: [6, 8], data: normals(48, 1) },
  { name: 'fc.bias', shape: [6], data: normals(6, 2) },
  { name: 'steps', dtype: 'I64', shape: [], data: BigInt64Array.of(7n) }
]

/** The model as a compressed file. */
export async function compressed(options: Parameters<typeof compressModel>[1]): Promise<Uint8Array<ArrayBuffer>> {
  return (await compressModel(await openInputs(inputs, { author: 'a test' }), options)).bytes!
}

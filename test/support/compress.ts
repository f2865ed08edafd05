import { expect } from 'vitest'
import { compressModel, decompressModel, openModel } from '../../src/model/index.js'
import type { CompressOptions, CompressReport, Dtype, Recipe } from '../../src/model/index.js'
import { compareOracle } from '../oracle/linalg.js'
import { bfloat16Bits, float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from './bits.js'
import type { Input, Stored } from './models.js'
import { expectParts, f32Of, openInputs, readRaw, storedOracle } from './models.js'
import { normals, normals64 } from './random.js'
import { sizeOf } from './shapes.js'
import { bytesOf } from './files.js'

export function input(name: string, shape: number[], seed: number, dtype: Dtype = 'F32'): Input {
  const length = sizeOf(shape)
  if (dtype === 'F64') return { name, dtype, shape, data: normals64(length, seed) }
  const values = normals(length, seed)
  if (dtype === 'F32') return { name, dtype, shape, data: values }
  return { name, dtype, shape, data: Uint16Array.from(values, dtype === 'F16' ? float16Bits : bfloat16Bits) }
}

const SHAPES = [[1], [7], [257], [5, 3], [17, 33], [2, 3, 4], [3, 1, 5], [2, 3, 2, 5]]
export const DTYPES: Dtype[] = ['F32', 'F64', 'F16', 'BF16']

export const vectors = SHAPES.map((shape, i) => input(`${shape.join('x')}`, shape, i + 1, DTYPES[i % 4]))

interface Case {
  inputs: Input[]
  options: CompressOptions
}

/** Compresses, restores, and holds file and report against what the oracles say of each tensor that is compressed. */
export async function expectRestored(
  { inputs, options }: Case,
  expected: Map<string, Stored>
): Promise<CompressReport> {
  const model = await openInputs(inputs, { author: 'a test' })
  const { report, bytes } = await compressModel(model, options)
  const raw = readRaw(bytes!)
  expect(raw.metadata.author).toBe('a test')
  const names: string[] = []
  for (const { parts } of expected.values()) expectParts(raw, parts)
  const small = await openModel(bytes!)
  const plain = readRaw((await decompressModel(small)).bytes!)
  expect(small.tensors.map(({ name }) => name)).toEqual(inputs.map(({ name }) => name))
  expect(report.tensors.map(({ name }) => name)).toEqual(inputs.map(({ name }) => name))
  for (const [i, { name, dtype = 'F32', shape, data }] of inputs.entries()) {
    const row = report.tensors[i]
    const stored = expected.get(name)
    const bytesBefore = data.byteLength
    if (!stored) {
      expect(row).toMatchObject({ name, shape, encoding: dtype, before: bytesBefore, after: bytesBefore, ratio: 1 })
      expect(row.error).toBeUndefined()
      expect(raw.arrays.get(name)).toMatchObject({ dtype, shape })
      expect(Buffer.compare(raw.arrays.get(name)!.bytes, bytesOf(data))).toBe(0)
      names.push(name)
      continue
    }
    names.push(...stored.parts.keys())
    const restored = await small.read(name)
    expect(restored).toMatchObject({ name, dtype: 'F32', shape })
    expectSameBits(restored.data as Float32Array, stored.values, `restored ${name}`)
    expect(plain.arrays.get(name)).toMatchObject({ dtype: 'F32', shape })
    expect(Buffer.compare(plain.arrays.get(name)!.bytes, bytesOf(stored.values)), `decompressed ${name}`).toBe(0)
    const after = [...stored.parts.keys()].reduce((sum, part) => sum + raw.arrays.get(part)!.bytes.length, 0)
    expect(row).toMatchObject({ name, shape, before: bytesBefore, after, ratio: bytesBefore / after })
    // Against the numbers of the file, of f64 too.
    const error = compareOracle(dtype === 'F64' ? (data as Float64Array) : f32Of({ dtype, shape, data }), stored.values)
    for (const key of ['meanSquaredError', 'maxAbsoluteError', 'relativeError', 'snr'] as const) {
      const [got, wanted] = [row.error![key], error[key]]
      if (got !== wanted) expect(Math.abs(got / wanted - 1), `${key} of ${name}: ${got}, ${wanted}`).toBeLessThan(1e-12)
    }
    expect(small.tensors[i]).toMatchObject({
      name,
      dtype,
      shape,
      encoding: row.encoding,
      byteLength: after,
      originalByteLength: bytesBefore,
      compressed: true
    })
  }
  expect([...raw.arrays.keys()].sort()).toEqual(names.sort())
  expect(report).toMatchObject({ before: model.size, after: bytes!.length, ratio: model.size / bytes!.length })
  expect(bytes!.length).toBe(raw.dataStart + [...raw.arrays.values()].reduce((sum, part) => sum + part.bytes.length, 0))
  return report
}

/** 16-bit floats that are only pruned keep their type. */
export function effective(recipe: Recipe, dtype: Dtype | undefined): Recipe {
  if (recipe.quantize || (dtype !== 'F16' && dtype !== 'BF16')) return recipe
  return { ...recipe, quantize: { format: dtype === 'F16' ? 'float16' : 'bfloat16' } }
}

export const storedBy = (recipe: Recipe, inputs: Input[]): Map<string, Stored> =>
  new Map(
    inputs.map((tensor) => [
      tensor.name,
      storedOracle(tensor.name, f32Of(tensor), tensor.shape, effective(recipe, tensor.dtype))
    ])
  )

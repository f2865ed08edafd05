import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../src/core/errors.js'
import { encodeNpy } from '../../src/files/npy.js'
import { openTensors } from '../../src/files/open.js'
import { encodeSafetensors } from '../../src/files/safetensorsWriter.js'
import { fileSource } from '../../src/files/source.js'
import { bytesOf, concat, counting, pattern, rawNpy, rawSafetensors, rejection } from '../support/files.js'

const tensors = [
  { name: 'fc1.weight', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  { name: 'fc1.bias', shape: [3], data: Float32Array.of(7, 8, 9) },
  { name: 'conv.weight', shape: [1], data: Float32Array.of(0) },
  { name: 'norm.mean', shape: [1], data: Float32Array.of(0) }
]
const safetensors = encodeSafetensors(tensors, { kind: 'test' })
const npy = encodeNpy(tensors[0]!)

describe('openTensors', () => {
  it('knows a format by its content', async () => {
    expect(await openTensors(safetensors)).toMatchObject({
      format: 'safetensors',
      metadata: { kind: 'test' },
      size: safetensors.length
    })
    expect(await openTensors(new Blob([npy]))).toMatchObject({ format: 'npy', metadata: {}, size: npy.length })
  })

  it.each([
    ['an empty file', new Uint8Array(0), 'truncated', 'expected a file of at least 10 bytes, got 0 bytes'],
    ['a few bytes', Uint8Array.from([0x93, 0x4e, 0x55]), 'truncated', 'got 3 bytes'],
    [
      'text',
      concat('hello, world'),
      'unknown-format',
      'expected a .npy file (beginning with \\x93NUMPY) or a safetensors'
    ],
    ['a zip', concat('PK\x03\x04', pattern(40)), 'unknown-format', 'this looks like a zip archive (.npz, PyTorch)'],
    ['GGUF', concat('GGUF\x03\0\0\0', pattern(40)), 'unknown-format', 'this looks like a GGUF model'],
    ['HDF5', concat(Uint8Array.of(0x89), 'HDF\r\n\x1a\n', pattern(40)), 'unknown-format', 'an HDF5 file'],
    ['a pickle', concat(Uint8Array.of(0x80, 2), pattern(40)), 'unknown-format', 'a pickle'],
    ['zeros', new Uint8Array(100), 'unknown-format', 'got bytes 0 0 0 0 0 0 0 0 0 0'],
    ['a lying safetensors file', rawSafetensors('{}', 0, 2n ** 63n), 'bad-header', 'safetensors: '],
    ['a .npy file of version 9', rawNpy('{}', 0, [9, 0]), 'unsupported-version', '.npy: ']
  ])('refuses %s', async (_, bytes, code, message) => {
    const source = counting(bytes)
    const error = await rejection(openTensors(source))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(source.closed).toBe(1)
  })

  it('takes a string for a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tersor-'))
    const path = join(folder, 'model.safetensors')
    try {
      writeFileSync(path, safetensors)
      const file = await openTensors(path)
      expect((await file.read('fc1.bias')).data).toEqual(Float32Array.of(7, 8, 9))
      await file.close()
      expect(await rejection(openTensors(join(folder, 'none')))).toMatchObject({ code: 'ENOENT' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('names those near to one that does not exist', async () => {
    const file = await openTensors(safetensors)
    const error = await rejection(file.read('fc1.wight'))
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toBe(
      'read: "name" expected one of the file\'s 4 tensors ' +
        '(near: "fc1.weight", "fc1.bias", "conv.weight"), got "fc1.wight"'
    )
    for (const name of ['__proto__', 'constructor', '__metadata__', '']) {
      expect(await rejection(file.read(name))).toBeInstanceOf(RangeError)
    }
    expect((await rejection((await openTensors(encodeSafetensors([]))).read('w'))).message).toBe(
      'read: "name" expected a tensor; the file has none, got "w"'
    )
    expect(await rejection(file.read(0 as never))).toBeInstanceOf(TypeError)
  })

  it('gives fresh arrays at each read', async () => {
    const file = await openTensors(safetensors)
    const first = await file.read('fc1.bias')
    first.data.fill(0 as never)
    first.shape[0] = 99
    expect(await file.read('fc1.bias')).toEqual({ ...tensors[1], dtype: 'F32', byteLength: 12 })
    const both = await Promise.all([file.read('fc1.weight'), file.read('fc1.bias')])
    expect(both.map(({ data }) => [...data])).toEqual([
      [1, 2, 3, 4, 5, 6],
      [7, 8, 9]
    ])
  })

  it('closes its source once, and does not read after that', async () => {
    const source = counting(safetensors)
    const file = await openTensors(source)
    await file.close()
    await file.close()
    expect(source.closed).toBe(1)
    expect((await rejection(file.read('fc1.bias'))).message).toBe('read: the file is closed')
  })
})

describe('real files', () => {
  const path = (name: string) => fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url))
  const arrays = [
    ['ada002-526x1536.npy', 'F32', [526, 1536]],
    ['digits-images-1797x64.npy', 'U8', [1797, 64]],
    ['digits-labels.npy', 'U8', [1797]],
    ['glosses-embeddings-20000x384.npy', 'F32', [20000, 384]],
    ['glosses-labels.npy', 'U8', [20000]],
    ['glosses-token-ids.npy', 'U16', undefined],
    ['glosses-token-offsets.npy', 'U32', [20001]],
    ['mnist-images-5000x784.npy', 'U8', [5000, 784]],
    ['mnist-labels.npy', 'U8', [5000]]
  ] as const
  for (const [name, dtype, shape] of arrays) {
    it.skipIf(!existsSync(path(name)))(`${name}: read and written, the same file`, async () => {
      const file = await openTensors(await fileSource(path(name)))
      const tensor = await file.read('data')
      await file.close()
      expect(tensor.dtype).toBe(dtype)
      if (shape) expect(tensor.shape).toEqual(shape)
      const bytes = readFileSync(path(name))
      const written = encodeNpy(tensor)
      const dataStart = bytes.length - tensor.byteLength
      expect(Buffer.compare(written.subarray(-tensor.byteLength), bytes.subarray(dataStart))).toBe(0)
      expect((await openTensors(written)).tensors).toEqual(file.tensors)
    })
  }

  const model = 'mnist-cnn.safetensors'
  it.skipIf(!existsSync(path(model)))(`${model}: every tensor, and written again`, async () => {
    const file = await openTensors(await fileSource(path(model)))
    expect(file.tensors).toHaveLength(20)
    expect(file.tensors.find(({ name }) => name === 'fc1.weight')).toEqual({
      name: 'fc1.weight',
      dtype: 'F32',
      shape: [32, 11616],
      byteLength: 1486848
    })
    const all = await Promise.all(file.tensors.map(({ name }) => file.read(name)))
    await file.close()
    expect(all.find(({ name }) => name === 'norm1.num_batches_tracked')?.data).toBeInstanceOf(BigInt64Array)
    const bytes = readFileSync(path(model))
    const written = encodeSafetensors(all, file.metadata)
    expect(Buffer.compare(written, bytes)).toBe(0)
    expect(bytesOf(all[0]!.data)).toEqual(new Uint8Array(bytes.subarray(1528, 1536)))
  })

  const onnx = 'mnist.onnx'
  it.skipIf(!existsSync(path(onnx)))(`${onnx}: refused as unknown`, async () => {
    expect(await rejection(fileSource(path(onnx)).then(openTensors))).toMatchObject({ code: 'unknown-format' })
  })
})

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { FormatError } from '../../../src/core/errors.js'
import { fitCodec, openCodec, type CodecOptions } from '../../../src/embeddings/index.js'
import { encodeSafetensors } from '../../../src/model/index.js'
import { expectSameBits } from '../../support/bits.js'
import { expectError, wrong } from '../../support/errors.js'
import { readRaw } from '../../support/models.js'
import { rowsOf, slopedTable as tableOf } from '../../support/tables.js'

describe('openCodec', () => {
  const codec = fitCodec(tableOf(200, 6, 1), { centroids: 3, calibrate: true, pca: 5 })
  const bytes = codec.toBytes()

  /** The file with another entry or arrays. */
  function changed(entry: object, drop: string[] = [], more: Record<string, unknown> = {}, file = bytes): Uint8Array {
    const { metadata, arrays } = readRaw(file)
    const tensors = [...arrays]
      .filter(([name]) => !drop.includes(name))
      .map(([name, { dtype, shape, bytes: data }]) => ({
        name,
        shape,
        data:
          dtype === 'F32' ? new Float32Array(new Uint8Array(data).buffer) : new Int8Array(new Uint8Array(data).buffer)
      }))
    const text = JSON.stringify({ ...JSON.parse(metadata.tersor), ...entry })
    return encodeSafetensors([...tensors, ...(Object.values(more) as never[])], { tersor: text })
  }

  it('refuses what is no codec, or of another version, or damaged', () => {
    const open = (file: unknown) => () => openCodec(wrong(file))
    const message = 'openCodec: "input" expected the bytes of a codec, a Blob or a path'
    for (const input of [undefined, null, 3, {}, [1, 2], new Float32Array(2)]) {
      expectError(open(input), TypeError, message)
    }
    expectError(open(new Uint8Array(3)), FormatError, 'safetensors')
    for (let length = 0; length < bytes.length; length += 97) {
      expectError(open(bytes.slice(0, length)), FormatError, 'safetensors')
    }
    expectError(open(changed({ version: 2 })), FormatError, 'version 2', 'newer release')
    expectError(open(changed({ kind: 'gram' })), FormatError, '"gram"')
    expectError(open(changed({ method: 'zip' })), FormatError, 'method', '"zip"')
    expectError(open(changed({ metric: 'far' })), FormatError, 'metric', '"far"')
    expectError(open(changed({ dimension: 0 })), FormatError, 'dimensions')
    expectError(open(changed({ dimension: 7, truncate: 7 })), FormatError, 'fit 7 dimensions')
    expectError(open(changed({ dimension: 8193 })), FormatError, '1 to 8192 dimensions')
    expectError(open(changed({ truncate: 8 })), FormatError, 'leading elements')
    expectError(open(changed({ seed: -1 })), FormatError, 'seed')
    expectError(open(changed({ parameters: 3 })), FormatError, 'parameters')
    expectError(open(changed({ parameters: { bits: 5, seed: 0, centres: 3 } })), FormatError, 'bits')
    expectError(open(changed({ parameters: { bits: 2, seed: 0, centres: 4 } })), FormatError, '4 centroids')
    expectError(open(changed({}, ['table:mean'])), FormatError, '3 centroids')
    expectError(open(changed({}, ['front:components'])), FormatError, '')
    const stranger = { name: 'stranger', shape: [1], data: new Float32Array(1) }
    expectError(open(changed({}, [], { stranger })), FormatError, '"stranger"')
    const scales = { name: 'table:scales', shape: [3], data: Float32Array.of(1, NaN, 1) }
    expectError(open(changed({}, ['table:scales'], { scales })), FormatError, 'below 2^50, got NaN at index 1')
    const great = { ...scales, data: Float32Array.of(1, 1, 1e38) }
    expectError(open(changed({}, ['table:scales'], { great })), FormatError, 'below 2^50, got 9.99')
    const calibration = { name: 'table:calibration', shape: [2, 5], data: new Float32Array(10) }
    expectError(open(changed({}, ['table:calibration'], { calibration })), FormatError, 'calibration')
    expect(openCodec(changed({})).bits).toBe(2)
  })

  it('refuses parameters and tables that no codec of the method has', () => {
    const rows = tableOf(300, 6, 1)
    const open = (options: CodecOptions, parameters: object, more: Record<string, unknown> = {}) => {
      const file = fitCodec(rows, options).toBytes()
      const { metadata } = readRaw(file)
      const entry = JSON.parse(metadata.tersor) as { parameters: object }
      const changedEntry = { parameters: { ...entry.parameters, ...parameters } }
      return () => openCodec(changed(changedEntry, Object.keys(more), more, file))
    }
    expectError(open({ method: 'rabitq' }, { epsilon: -1 }), FormatError, '"epsilon" expected a number from 0 to 100')
    expectError(open({ method: 'rabitq' }, { bits: 2.5 }), FormatError, '"bits" expected 1 to 8, got 2.5')
    expectError(open({ method: 'binary' }, { level: -1 }), FormatError, '"level" expected a number of at least 0')
    expectError(open({ method: 'pq', bits: 4 }, { subspaces: 1.5 }), FormatError, '"subspaces" expected 1 to 6')
    const int8 = { method: 'int8', axis: 'dimension' } as const
    for (const step of [0, -1]) {
      const data = new Float32Array(6).fill(step)
      const table = { 'table:steps': { name: 'table:steps', shape: [6], data } }
      expectError(open(int8, {}, table), FormatError, '"steps" expected numbers above 0')
    }
    const centroid = { name: 'table:centre', shape: [2, 3], data: new Float32Array(6) }
    expectError(open({ method: 'osq' }, {}, { 'table:centre': centroid }), FormatError, 'expected 6 finite', 'got 2x3')
    expect(open({ method: 'osq' }, {})().method).toBe('osq')
  })

  it('refuses numbers and unused bits that no encoder writes', () => {
    const rows = tableOf(300, 13, 1)
    for (const [method, at, bytes, message] of [
      ['float32', 52 + 8, [0, 0, 0xc0, 0x7f], 'numbers below 2^48, got none at column 2'],
      ['float32', 52 + 8, [0, 0, 0, 0x7f], 'numbers below 2^48, got none at column 2'],
      ['float16', 26 + 4, [0, 0xfc], 'numbers within float16, got none at column 2'],
      ['binary', 2 + 1, [0x81], 'zeros in what byte 1 has beyond the last code, got 129'],
      ['turbo', 2 * 10 - 9, [0xff], 'zeros in what byte 1 has beyond the last code, got 255'],
      ['turbo', 2 * 10 - 5, [0x7f], 'factors of numbers within float32']
    ] as const) {
      const codec = fitCodec(rows, { method, metric: 'dot', ...(method === 'turbo' ? { bits: 1 } : {}) })
      const { data, shape } = codec.encode(rowsOf(rows, 0, 3))
      expect(codec.decode({ data, shape }).data.every(Number.isFinite)).toBe(true)
      data.set(bytes, at)
      if (message.startsWith('factors')) data.set([0xff, 0xff, 0x7f, 0x7f], at - 3)
      expectError(() => codec.decode({ data, shape }), RangeError, 'decode: "codes" expected row 1 to have', message)
    }
  })

  it('refuses codes that it cannot have made', () => {
    const { data } = codec.encode(tableOf(4, 6, 2))
    const row = codec.bytesPerVector
    const damaged = (at: number, ...values: number[]): { data: Uint8Array; shape: number[] } => {
      const copy = data.slice()
      copy.set(values, at)
      return { data: copy, shape: [4, row] }
    }
    expectError(() => codec.decode(damaged(2 * row - 1, 3)), RangeError, 'row 1', '3 centroids, got number 3')
    expectError(() => codec.decode(damaged(3 * row - 9, 0, 0, 0xc0, 0x7f)), RangeError, 'row 2', 'factor 0, got NaN')
  })
})

describe('a codec that is kept', () => {
  const codec = fitCodec(tableOf(200, 6, 1), { bits: 3, metric: 'l2', pca: 4 })
  const bytes = codec.toBytes()
  let folder = ''
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tersor-codec-'))))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('is opened from bytes, a buffer, a path, or a Blob', async () => {
    const path = join(folder, 'codec')
    codec.save(path)
    expectSameBits(new Uint8Array(readFileSync(path)), bytes)
    for (const input of [bytes, Buffer.from(bytes), bytes.buffer, path]) {
      expectSameBits(openCodec(input).toBytes(), bytes)
    }
    const blob = new Blob([new Uint8Array(3), bytes])
    expectSameBits((await openCodec(blob.slice(3))).toBytes(), bytes)
    expectSameBits((await openCodec(new File([bytes], 'codec'))).toBytes(), bytes)
    await expect(openCodec(blob)).rejects.toThrow(FormatError)
  })

  it('is written whole or not at all', () => {
    const own = mkdtempSync(join(folder, 'own-'))
    const path = join(own, 'codec')
    codec.save(path)
    fitCodec(tableOf(100, 5, 2)).save(path)
    expect(openCodec(path).dimensions).toBe(5)
    expectError(() => codec.save(own), Error, 'save: expected the path of a regular file')
    expect(() => codec.save(join(own, 'missing', 'codec'))).toThrow('ENOENT')
    expectError(() => codec.save(wrong(undefined)), TypeError, 'save: "path" expected a string, got undefined')
    expect(readdirSync(own)).toEqual(['codec'])
    expect(() => openCodec(join(own, 'none'))).toThrow('ENOENT')
    expectError(() => openCodec(own), Error, 'openCodec: expected a regular file')
  })

  it('asks for bytes where there is no file system', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    expectError(() => codec.save('codec'), Error, 'save: this runtime has no file system')
    expectError(() => openCodec('codec'), Error, 'openCodec: this runtime has no file system')
    vi.restoreAllMocks()
  })
})

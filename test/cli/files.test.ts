import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeNpy, encodeSafetensors, type TensorDifference } from '../../src/model/index.js'
import { compareOracle } from '../oracle/linalg.js'
import { float16Bits } from '../oracle/quantize.js'
import { temporaryFolder, tersor } from '../support/cli.js'
import type { Input } from '../support/models.js'
import { storedOracle } from '../support/models.js'
import { normals } from '../support/random.js'

const folder = temporaryFolder()
const read = (name: string): Buffer => readFileSync(join(folder, name))
const write = (name: string, bytes: Uint8Array): void => writeFileSync(join(folder, name), bytes)

const weight: Input = { name: 'weight', shape: [6, 10], data: normals(60, 1) }
const bias: Input = { name: 'bias', shape: [6], data: normals(6, 2) }
const half: Input = { name: 'half', dtype: 'F16', shape: [3], data: Uint16Array.from([1, -2, 0.5], float16Bits) }
const steps: Input = { name: 'steps', dtype: 'I32', shape: [], data: Int32Array.of(5) }
const all = [weight, bias, half, steps]

write('model.safetensors', encodeSafetensors(all, { author: 'a test' }))
write('vectors.npy', encodeNpy(weight))

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tersor(args, folder)
  expect(stderr.includes('error'), stderr).toBe(false)
  expect(code).toBe(0)
  return stdout
}

const recipe = { quantize: { format: 'int8', axis: 0 } } as const
const args = ['--quantize', 'int8', '--axis', '0', '--quiet']
await run('compress', 'model.safetensors', '-o', 'small.safetensors', ...args)
await run('compress', 'vectors.npy', '-o', 'vectors.safetensors', ...args)
const { values } = storedOracle('weight', weight.data as Float32Array, weight.shape, recipe)
const restored = { ...weight, data: values as Float32Array<ArrayBuffer> }
const after = 60 + 4 * 6

const cells = (line: string): string[] =>
  line
    .split('│')
    .slice(1, -1)
    .map((cell) => cell.trim())
const rows = (stdout: string): string[][] =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map(cells)

describe('tersor inspect', () => {
  it('lists a plain file', async () => {
    const stdout = await run('inspect', 'model.safetensors')
    const size = read('model.safetensors').length
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      `model.safetensors: safetensors, ${size} B, 4 tensors`,
      'author: a test'
    ])
    expect(rows(stdout)).toEqual([
      ['tensor', 'dtype', 'shape', 'stored as', 'bytes', 'ratio'],
      ['weight', 'F32', '6x10', 'F32', '240 B', '1.00x'],
      ['bias', 'F32', '6', 'F32', '24 B', '1.00x'],
      ['half', 'F16', '3', 'F16', '6 B', '1.00x'],
      ['steps', 'I32', 'scalar', 'I32', '4 B', '1.00x']
    ])
  })

  it('lists a .npy file', async () => {
    const stdout = await run('inspect', 'vectors.npy')
    expect(stdout).toContain(`vectors.npy: npy, ${read('vectors.npy').length} B, 1 tensor\n`)
    expect(rows(stdout)[1]).toEqual(['data', 'F32', '6x10', 'F32', '240 B', '1.00x'])
  })

  it('lists a compressed file', async () => {
    const stdout = await run('inspect', 'small.safetensors')
    const size = read('small.safetensors').length
    expect(stdout.split('\n')[0]).toMatch(
      new RegExp(`^small.safetensors: safetensors, compressed by tersor, (${size} B|\\d\\.\\d\\d kB), 4 tensors$`)
    )
    expect(stdout).not.toContain('tersor:')
    expect(rows(stdout)[1]).toEqual([
      'weight',
      'F32',
      '6x10',
      'int8, axis 0',
      `${after} B`,
      `${(240 / after).toFixed(2)}x`
    ])
  })

  it('gives JSON', async () => {
    const json = JSON.parse(await run('inspect', 'small.safetensors', '--json')) as Record<string, unknown>
    expect(json).toMatchObject({
      file: 'small.safetensors',
      format: 'safetensors',
      bytes: read('small.safetensors').length,
      compressed: true,
      metadata: { author: 'a test' }
    })
    expect(json.tensors).toMatchObject([
      { name: 'weight', dtype: 'F32', shape: [6, 10], encoding: 'int8, axis 0', byteLength: after, compressed: true },
      { name: 'bias', compressed: false },
      { name: 'half', compressed: false },
      { name: 'steps', compressed: false }
    ])
  })
})

describe('tersor decompress', () => {
  it('writes plain numbers to safetensors', async () => {
    const stdout = await run('decompress', 'small.safetensors', '-o', 'large.safetensors')
    expect(stdout).toMatch(/^wrote large.safetensors: 4 tensors, \d+ B\n$/)
    const wide: Input = { name: 'half', shape: [3], data: Float32Array.of(1, -2, 0.5) }
    expect(new Uint8Array(read('large.safetensors'))).toEqual(
      encodeSafetensors([restored, bias, wide, steps], { author: 'a test' })
    )
  })

  it('writes .npy where the name says so', async () => {
    for (const [name, expected] of [
      ['large.npy', encodeNpy(restored)],
      ['LARGE.NPY', encodeNpy(restored)],
      ['data.safetensors', encodeSafetensors([{ ...restored, name: 'data' }])]
    ] as const) {
      const format = name.toLowerCase().endsWith('npy') ? 'npy' : 'safetensors'
      const json = JSON.parse(await run('decompress', 'vectors.safetensors', '-o', name, '--json')) as unknown
      const bytes = read(name).length
      expect(json).toEqual({ input: 'vectors.safetensors', output: name, format, tensors: 1, bytes })
      expect(new Uint8Array(read(name))).toEqual(expected)
    }
  })

  it('takes a file that is not compressed', async () => {
    await run('decompress', 'vectors.npy', '-o', 'same.npy', '--quiet')
    expect(read('same.npy')).toEqual(read('vectors.npy'))
  })
})

describe('tersor diff', () => {
  it('compares tensor by tensor, restored', async () => {
    const stdout = await run('diff', 'model.safetensors', 'small.safetensors')
    const error = compareOracle(weight.data as Float32Array, values)
    expect(rows(stdout)).toEqual([
      ['tensor', 'shape', 'verdict', 'relative error', 'SNR dB', 'greatest error'],
      [
        'weight',
        '6x10',
        'different',
        error.relativeError.toFixed(5),
        error.snr.toFixed(2),
        error.maxAbsoluteError.toFixed(5)
      ],
      ['bias', '6', 'equal', '', '', ''],
      ['half', '3', 'equal', '', '', ''],
      ['steps', 'scalar', 'equal', '', '', '']
    ])
  })

  it('gives JSON', async () => {
    write('other.safetensors', encodeSafetensors([{ ...bias, shape: [2, 3] }, { ...weight, name: 'new' }, half]))
    const stdout = await run('diff', 'model.safetensors', 'other.safetensors', '--json')
    const json = JSON.parse(stdout) as { a: string; b: string; tensors: TensorDifference[] }
    expect(json).toEqual({
      a: 'model.safetensors',
      b: 'other.safetensors',
      tensors: [
        { name: 'weight', a: [6, 10], verdict: 'only in a' },
        { name: 'bias', a: [6], b: [2, 3], verdict: 'shape' },
        { name: 'half', a: [3], b: [3], verdict: 'equal' },
        { name: 'steps', a: [], verdict: 'only in a' },
        { name: 'new', b: [6, 10], verdict: 'only in b' }
      ]
    })
  })
})

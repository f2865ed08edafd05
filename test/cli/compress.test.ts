import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeNpy, encodeSafetensors } from '../../src/model/index.js'
import type { CompressReport, Recipe } from '../../src/model/index.js'
import { compareOracle } from '../oracle/linalg.js'
import { snapshot, temporaryFolder, tersor } from '../support/cli.js'
import type { Input } from '../support/models.js'
import { expectParts, readRaw, storedOracle } from '../support/models.js'
import { normals } from '../support/random.js'

const folder = temporaryFolder()
const path = (name: string): string => join(folder, name)

const weight = (name: string, shape: [number, number], seed: number): Input => ({
  name,
  shape,
  data: normals(shape[0] * shape[1], seed)
})

const model: Input[] = [
  weight('encoder/layer.0.weight', [12, 16], 1),
  { name: 'encoder/layer.0.bias', shape: [12], data: normals(12, 2) },
  weight('encoder/layer.1.weight', [8, 12], 3),
  weight('head.weight', [4, 8], 4),
  { name: 'steps', dtype: 'I64', shape: [], data: BigInt64Array.of(1n) }
]
writeFileSync(path('model.safetensors'), encodeSafetensors(model, { author: 'a test' }))
writeFileSync(path('vectors.npy'), encodeNpy(model[0]))

type Json = CompressReport & { input: string; output: string; seconds: number }

async function compress(file: string, output: string, ...args: string[]): Promise<Json> {
  const before = snapshot(folder).get(file)
  const { code, stdout, stderr } = await tersor(['compress', file, '-o', output, '--json', ...args], folder)
  expect(stderr.includes('error'), stderr).toBe(false)
  expect(code).toBe(0)
  expect(snapshot(folder).get(file)).toBe(before)
  expect([...snapshot(folder).keys()].filter((name) => name.endsWith('.tmp'))).toEqual([])
  return JSON.parse(stdout) as Json
}

/** Holds a written file against the oracles for the tensors named, all others being as they were. */
function expectWritten(output: string, recipe: Recipe, chosen: string[], inputs = model): void {
  const file = readRaw(readFileSync(path(output)))
  for (const { name, shape, data, dtype = 'F32' } of inputs) {
    if (chosen.includes(name)) expectParts(file, storedOracle(name, data as Float32Array, shape, recipe).parts)
    else expect(file.arrays.get(name), name).toMatchObject({ dtype, shape })
  }
}

const weights = model.filter(({ shape }) => shape.length > 1).map(({ name }) => name)

describe('tersor compress', () => {
  it.each<[string[], Recipe]>([
    [['--quantize', 'int8'], { quantize: { format: 'int8' } }],
    [['--quantize', 'uint8', '--axis', '0'], { quantize: { format: 'uint8', axis: 0 } }],
    [['--quantize', 'int8', '--axis', '-1'], { quantize: { format: 'int8', axis: -1 } }],
    [
      ['--quantize', 'int4', '--group', '5', '--asymmetric'],
      { quantize: { format: 'int4', group: 5, symmetric: false } }
    ],
    [['--quantize', 'uint4', '--group', '3', '--axis', '1'], { quantize: { format: 'uint4', group: 3, axis: 1 } }],
    [['--quantize', 'float16'], { quantize: { format: 'float16' } }],
    [['--quantize', 'bfloat16'], { quantize: { format: 'bfloat16' } }],
    [['--prune', '0.75'], { prune: { sparsity: 0.75 } }],
    [['--prune', '0.75', '--scope', 'layer'], { prune: { sparsity: 0.75 } }],
    [['--pattern', '2:4'], { prune: { pattern: '2:4' } }],
    [
      ['--prune', '.9', '--quantize', 'int4', '--group', '8'],
      { prune: { sparsity: 0.9 }, quantize: { format: 'int4', group: 8 } }
    ]
  ])('%j', async (args, recipe) => {
    const report = await compress('model.safetensors', 'out.safetensors', ...args)
    expectWritten('out.safetensors', recipe, weights)
    const file = readFileSync(path('out.safetensors'))
    expect(readRaw(file).metadata.author).toBe('a test')
    expect(report).toMatchObject({ input: 'model.safetensors', output: 'out.safetensors', after: file.length })
    expect(report.before).toBe(readFileSync(path('model.safetensors')).length)
    expect(report.ratio).toBe(report.before / report.after)
    expect(report.seconds).toBeGreaterThan(0)
    expect(report.tensors.map(({ name }) => name)).toEqual(model.map(({ name }) => name))
    for (const [i, { name, data, shape }] of model.entries()) {
      expect(report.tensors[i]).toMatchObject({ name, shape, before: data.byteLength })
      if (!weights.includes(name)) continue
      const { values } = storedOracle(name, data as Float32Array, shape, recipe)
      const error = compareOracle(data as Float32Array, values)
      expect(report.tensors[i].error!.relativeError).toBeCloseTo(error.relativeError, 12)
      expect(report.tensors[i].error!.snr).toBeCloseTo(error.snr, 9)
    }
  })

  it.each([
    [['--rank', '2'], 2],
    [['--energy', '1e-9'], 1],
    [['--max-error', '0.99'], 1]
  ])('%j', async (args, rank) => {
    const { tensors } = await compress('model.safetensors', 'low.safetensors', ...args)
    const row = tensors[0]
    expect(row.encoding).toBe(`rank ${rank}`)
    expect(row.after).toBe(4 * rank * (12 + 16))
    const { arrays } = readRaw(readFileSync(path('low.safetensors')))
    expect(arrays.get('encoder/layer.0.weight:u')).toMatchObject({ dtype: 'F32', shape: [12, rank] })
    expect(arrays.get('encoder/layer.0.weight:v')).toMatchObject({ dtype: 'F32', shape: [16, rank] })
    expect(arrays.has('encoder/layer.0.weight')).toBe(false)
  })

  it('takes a .npy file', async () => {
    const { tensors } = await compress('vectors.npy', 'vectors.safetensors', '--quantize', 'int8', '--axis', '0')
    expect(tensors).toHaveLength(1)
    expect(tensors[0]).toMatchObject({ name: 'data', shape: [12, 16], encoding: 'int8, axis 0' })
    const recipe: Recipe = { quantize: { format: 'int8', axis: 0 } }
    expectWritten('vectors.safetensors', recipe, ['data'], [{ ...model[0], name: 'data' }])
  })

  it('prunes over all tensors with --scope global', async () => {
    const { tensors } = await compress('model.safetensors', 'a', '--prune', '0.8', '--scope', 'global')
    const kept = tensors.flatMap(({ name, encoding }) =>
      weights.includes(name) ? [Number(/^(\d+)% pruned$/.exec(encoding)![1])] : []
    )
    expect(new Set(kept).size).toBeGreaterThan(1)
  })

  it.each<[string[], string[]]>([
    [
      ['--include', 'encoder*'],
      ['encoder/layer.0.weight', 'encoder/layer.0.bias', 'encoder/layer.1.weight']
    ],
    [['--include', '*.bias'], ['encoder/layer.0.bias']],
    [
      ['--include', '*bias', '--include', 'head.*'],
      ['encoder/layer.0.bias', 'head.weight']
    ],
    [
      ['--exclude', 'head*'],
      ['encoder/layer.0.weight', 'encoder/layer.1.weight']
    ],
    [['--include', '*weight', '--exclude', '*.0.*', '--exclude', 'head*'], ['encoder/layer.1.weight']],
    [['--include', 'encoder/layer.[1-9].weight'], ['encoder/layer.1.weight']],
    [['--include', '{head,steps}*'], ['head.weight']],
    [
      ['--include', '*'],
      [...weights, 'encoder/layer.0.bias']
    ]
  ])('chooses tensors: %j', async (args, chosen) => {
    const { tensors } = await compress('model.safetensors', 'some.safetensors', '--quantize', 'int8', ...args)
    expect(
      tensors
        .filter(({ error }) => error)
        .map(({ name }) => name)
        .sort()
    ).toEqual([...chosen].sort())
    expectWritten('some.safetensors', { quantize: { format: 'int8' } }, chosen)
  })

  it('prints a table, with the whole file at its end', async () => {
    const args = ['compress', 'model.safetensors', '-o', 'table', '--energy', '0.999', '--quantize', 'int8', '--quiet']
    const { code, stdout, stderr } = await tersor(args, folder)
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.trimEnd().split('\n')
    const columns = ['tensor', 'shape', 'stored as', 'before', 'after', 'ratio', 'relative error', 'SNR dB']
    const cells = (line: string) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim())
    expect(cells(lines[1])).toEqual(columns)
    const rows = lines.filter((line) => line.startsWith('│')).map(cells)
    expect(rows.slice(1).map(([name, shape]) => [name, shape])).toEqual([
      ...model.map(({ name, shape }) => [name, shape.join('x') || 'scalar']),
      ['file', '']
    ])
    const [before, after] = ['model.safetensors', 'table'].map((name) => readFileSync(path(name)).length)
    expect(rows.at(-1)![5]).toBe(`${(before / after).toFixed(2)}x`)
    expect(rows[1][5]).toMatch(/^\d+\.\d\dx$/)
    expect(rows[1][6]).toMatch(/^0\.\d{5}$/)
    expect(Number(rows[1][7])).toBeGreaterThan(30)
    expect(lines.filter((line) => line.includes('low rank left out'))).toHaveLength(3)
    expect(lines.at(-1)).toMatch(/^wrote table in \d+\.\d\d s$/)
  })

  it('writes the same bytes twice, over an earlier file', async () => {
    writeFileSync(path('twice'), 'an earlier file that is longer than nothing')
    await compress('model.safetensors', 'twice', '--prune', '0.5', '--quantize', 'int4')
    const first = readFileSync(path('twice'))
    await compress('model.safetensors', 'twice', '--prune', '0.5', '--quantize', 'int4')
    expect(Buffer.compare(first, readFileSync(path('twice')))).toBe(0)
  })

  it('gives JSON without a signal to noise ratio where nothing is lost', async () => {
    writeFileSync(path('exact.npy'), encodeNpy({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }))
    const { tensors } = await compress('exact.npy', 'exact', '--quantize', 'float16')
    expect(tensors[0].error).toEqual({ meanSquaredError: 0, maxAbsoluteError: 0, relativeError: 0, snr: null })
  })

  it('writes through a link to the file that it means', async () => {
    writeFileSync(path('pointed at'), 'replaced')
    symlinkSync('pointed at', path('link'))
    await compress('model.safetensors', 'link', '--quantize', 'int8')
    expect(lstatSync(path('link')).isSymbolicLink()).toBe(true)
    expect(readRaw(readFileSync(path('pointed at'))).arrays.size).toBeGreaterThan(0)
  })
})

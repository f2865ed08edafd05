import { linkSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fitCodec, openIndex, type Choice, type Evaluation } from '../../src/embeddings/index.js'
import { encodeNpy } from '../../src/model/index.js'
import { plainNearest, plainRow } from '../oracle/embeddings/measure/recall.js'
import { snapshot, temporaryFolder, tersor, type Run } from '../support/cli.js'
import { normals } from '../support/random.js'

const folder = temporaryFolder()
const path = (name: string): string => join(folder, name)
const write = (name: string, bytes: Uint8Array | string): void => writeFileSync(path(name), bytes)

const DIM = 32
const data = normals(600 * DIM, 1)
const flat = { data, dimensions: DIM }
const queries = normals(5 * DIM, 2)
write('vectors.npy', encodeNpy({ shape: [600, DIM], data }))
write('queries.npy', encodeNpy({ shape: [5, DIM], data: queries }))
write('few.npy', encodeNpy({ shape: [4, DIM], data: data.slice(0, 4 * DIM) }))
write('one.npy', encodeNpy({ shape: [1, DIM], data: data.slice(0, DIM) }))
write('narrow.npy', encodeNpy({ shape: [10, 8], data: data.slice(0, 80) }))
const nan = data.slice(0, 30 * DIM)
nan[3 * DIM + 7] = NaN
write('nan.npy', encodeNpy({ shape: [30, DIM], data: nan }))
const records = Array.from({ length: 40 }, (_, i) => ({ id: 1000 + 7 * i, embedding: plainRow(flat, i) }))
write('records.jsonl', records.map((record) => JSON.stringify(record)).join('\n'))
write('named.jsonl', records.map((record) => JSON.stringify({ ...record, id: `doc ${record.id}` })).join('\n'))
write('text.txt', 'no vectors\n')
linkSync(path('vectors.npy'), path('hard link.npy'))

async function json<T>(args: string[]): Promise<T> {
  const before = snapshot(folder)
  const { code, stdout, stderr } = await tersor([...args, '--json'], folder)
  expect(stderr).not.toContain('error')
  expect(code).toBe(0)
  const after = snapshot(folder)
  for (const [name, content] of before) if (/npy|jsonl/.test(name)) expect(after.get(name), name).toBe(content)
  expect([...after.keys()].filter((name) => name.endsWith('.tmp'))).toEqual([])
  return JSON.parse(stdout) as T
}

interface Found {
  results: { id: number; score: number }[][]
}

describe('tersor compress, of vectors', () => {
  it('writes an index of the bits that are asked for, and its recall', async () => {
    const report = await json<Evaluation & { before: number; after: number; ids: string }>([
      ...['compress', 'vectors.npy', '--bits', '4', '-o', 'four']
    ])
    const index = openIndex(path('four'))
    expect(index.codec).toMatchObject({ method: 'turbo', bits: 4, dimensions: DIM, metric: 'cosine' })
    expect(index.size).toBe(600)
    expect(report).toMatchObject({ before: 4 * 600 * DIM, after: readFileSync(path('four')).length, ids: 'positions' })
    expect(report.recall).toBeGreaterThan(0.7)
    expect(report.recallInterval[0]).toBeLessThan(report.recall)
    // The bytes are those of the library.
    expect(index.codec.toBytes()).toEqual(fitCodec({ data, shape: [600, DIM] }, { bits: 4 }).toBytes())
  })

  it('finds the smallest codec that holds a recall, and draws what it tried', async () => {
    const choice = await json<Choice>([
      'compress',
      'vectors.npy',
      '--recall',
      '0.8',
      '-o',
      'held',
      '--plot',
      'held.svg'
    ])
    expect(choice.interval[0]).toBeGreaterThanOrEqual(0.8)
    expect(choice.oversampling).toBe(1)
    const index = openIndex(path('held'))
    expect(index.codec.bytesPerVector).toBe(choice.bytesPerVector)
    const svg = readFileSync(path('held.svg'), 'utf8')
    expect(svg).toContain('asked: 0.8')
    expect(svg.match(/<circle[^>]*class="chosen"/g)).toHaveLength(1)
  })

  it('finds the best codec of so many bytes', async () => {
    const choice = await json<Choice>(['compress', 'vectors.npy', '--bytes', '16', '--metric', 'l2', '-o', 'small'])
    expect(choice.bytesPerVector).toBeLessThanOrEqual(16)
    expect(openIndex(path('small')).codec.metric).toBe('l2')
  })

  it('keeps originals where they are asked for, and may count on rescoring by them', async () => {
    await json(['compress', 'vectors.npy', '--bits', '1', '--originals', 'float16', '-o', 'kept'])
    expect(openIndex(path('kept')).originals).toBe('float16')
    const args = ['compress', 'vectors.npy', '--recall', '0.95', '--originals', 'float16', '-o', 'chosen']
    const { oversampling, totalBytes } = await json<Choice>(args)
    // Not where the codes alone hold the recall: there they would be weight.
    expect(openIndex(path('chosen')).originals).toBe(oversampling > 1 ? 'float16' : undefined)
    if (oversampling > 1) expect(totalBytes).toBeGreaterThan(600 * 2 * DIM)
  })

  it('keeps ids that are whole numbers, and says when it cannot', async () => {
    expect(await json(['compress', 'records.jsonl', '--bits', '8', '-o', 'ids'])).toMatchObject({ ids: 'kept' })
    const { results } = await json<Found>(['search', 'ids', '--vector', JSON.stringify(plainRow(flat, 3)), '-k', '1'])
    expect(results[0]![0]!.id).toBe(1021)
    const { code, stdout } = await tersor(['compress', 'named.jsonl', '--bits', '2', '-o', 'named', '--quiet'], folder)
    expect([code, stdout]).toEqual([0, expect.stringContaining('ids are no whole numbers')])
  })

  it('names the index after the input, and never writes over what is there by itself', async () => {
    await json(['compress', 'few.npy', '--method', 'int8'])
    expect(openIndex(path('few.index.safetensors')).codec.method).toBe('int8')
    const { code, stderr } = await tersor(['compress', 'few.npy', '--bits', '1'], folder)
    expect(code).toBe(2)
    expect(stderr).toContain('few.index.safetensors is there already; give --output few.index.safetensors')
    await json(['compress', 'few.npy', '--bits', '1', '-o', 'few.index.safetensors'])
  })

  it('prints tables for people', async () => {
    const fixed = await tersor(['compress', 'vectors.npy', '--bits', '2', '-o', 'two'], folder)
    expect(fixed.stdout).toMatch(/recall@10 .* 0\.\d{4} \(0\.\d{4} to [01]\.\d{4}\)/)
    expect(fixed.stdout).toMatch(/wrote two: .*, \d+\.\d\dx smaller than float32/)
    const found = await tersor(['compress', 'vectors.npy', '--recall', '.7', '-o', 'seven'], folder)
    expect(found.stdout).toMatch(/turbo, \d bits?.*chosen/)
  })
})

describe('tersor search', () => {
  it('finds what a plain search finds', async () => {
    await json(['compress', 'vectors.npy', '--method', 'float32', '-o', 'whole'])
    const { results } = await json<Found>(['search', 'whole', '--query', 'queries.npy', '-k', '4'])
    expect(results).toHaveLength(5)
    results.forEach((row, q) => {
      const query = plainRow({ data: queries, dimensions: DIM }, q)
      expect(row.map(({ id }) => id)).toEqual(plainNearest('cosine', flat, query).slice(0, 4))
      expect(row[0]!.score).toBeGreaterThanOrEqual(row[3]!.score)
    })
    const { stdout } = await tersor(['search', 'whole', '--query', 'queries.npy', '-k', '4'], folder)
    expect(stdout).toContain(results[4]![3]!.score.toFixed(6))
  })

  it('gives what there is where it is fewer', async () => {
    await json(['compress', 'few.npy', '--bits', '2', '-o', 'little'])
    const { results } = await json<Found>(['search', 'little', '--query', 'queries.npy'])
    expect(results.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4])
  })
})

describe('tersor evaluate and inspect', () => {
  it('measure an index against its vectors', async () => {
    await json(['compress', 'vectors.npy', '--bits', '2', '-o', 'index'])
    const args = [
      'evaluate',
      'index',
      '--against',
      'vectors.npy',
      '--queries',
      'queries.npy',
      '-k',
      '5',
      '--oversampling',
      '4'
    ]
    expect(await json<Evaluation>(args)).toMatchObject({ queries: 5, k: 5, oversampling: 4, rows: 600 })
    expect(await json<Evaluation>(['evaluate', 'index', '--against', 'vectors.npy', '--queries', '50'])).toMatchObject({
      queries: 50
    })
    const { code, stdout } = await tersor(['evaluate', 'index', '--against', 'vectors.npy'], folder)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/recall@10, best 3 k rescored/)])
    expect(await json(['inspect', 'index'])).toMatchObject({
      kind: 'index',
      rows: 600,
      method: 'turbo',
      bits: 2,
      dimensions: DIM
    })
    write('codec', fitCodec({ data, shape: [600, DIM] }, { bits: 2 }).toBytes())
    expect(await json(['inspect', 'codec'])).toMatchObject({ kind: 'codec', method: 'turbo', bits: 2 })
    expect((await tersor(['inspect', 'index'], folder)).stdout).toMatch(/index of vectors.*bytes per vector/s)
  })
})

describe('what goes wrong', () => {
  async function failing(args: string[]): Promise<Run> {
    const before = snapshot(folder)
    const run = await tersor(args, folder)
    expect(snapshot(folder)).toEqual(before)
    expect(run.stdout).toBe('')
    expect(run.stderr).not.toMatch(/\bat .*:\d+:\d+/)
    return run
  }

  it.each<[string, string[], RegExp]>([
    ['a missing file', ['compress', 'none.npy', '--bits', '2', '-o', 'out'], /cannot read none\.npy: no such file/],
    ['no vectors', ['compress', 'text.txt', '--bits', '2', '-o', 'out'], /text\.txt: /],
    ['NaN', ['compress', 'nan.npy', '--bits', '2', '-o', 'out'], /nan\.npy: .*NaN/],
    ['no index', ['search', 'vectors.npy', '--query', 'queries.npy'], /vectors\.npy: /],
    ['a missing index', ['search', 'none', '--query', 'queries.npy'], /cannot read none: no such file/],
    ['a missing index', ['evaluate', 'none', '--against', 'vectors.npy'], /cannot read none: no such file/],
    [
      'another dimension',
      ['evaluate', 'index', '--against', 'narrow.npy'],
      /narrow\.npy: expected vectors of dimension 32/
    ],
    ['another dimension', ['search', 'index', '--query', 'narrow.npy'], /narrow\.npy: .*32.*8/],
    ['too few vectors', ['evaluate', 'index', '--against', 'one.npy'], /one\.npy: expected at least 2 vectors, got 1/],
    ['no folder', ['compress', 'few.npy', '--bits', '2', '-o', 'no/out'], /cannot write no\/out: no such file/]
  ])('exit code 1: %s, %j', async (_, args, message) => {
    const { code, stderr } = await failing(args)
    expect(stderr).toMatch(message)
    expect(code).toBe(1)
  })

  it.each<[string, string[], RegExp]>([
    ['both kinds', ['--bits', '2', '--quantize', 'int8'], /--quantize is for models, --bits/],
    ['two targets', ['--recall', '.9', '--bytes', '20'], /--recall does not go with --bytes/],
    ['bits and a target', ['--recall', '.9', '--bits', '2'], /--bits does not go with --recall/],
    ['a metric alone', ['--metric', 'dot'], /nothing to do: give one of --bits, --recall, --bytes, --method/],
    ['a plot of one codec', ['--bits', '2', '--plot', 'x.svg'], /--plot goes with --recall or --bytes/],
    ['bits that there are none of', ['--bits', '9'], /"bits" .*1, 2, 3, 4/],
    ['an unknown method', ['--method', 'zip'], /zip.*turbo, rabitq/s],
    ['a recall above 1', ['--recall', '2'], /"recall" expected a number in \[0, 1\], got 2/],
    ['too few bytes', ['--bytes', '1'], /"bytesPerVector" expected at least \d+/]
  ])('exit code 2: %s', async (_, args, message) => {
    const { code, stderr } = await failing(['compress', 'vectors.npy', '-o', 'out', ...args])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  it.each<[string[], RegExp]>([
    [['search', 'index'], /either --query or --vector/],
    [['search', 'index', '--vector', 'x'], /--vector expected a list of numbers/],
    [['search', 'index', '--vector', '[1,2]'], /dimension 32/],
    [['search', 'index', '--query', 'queries.npy', '-k', '0'], /"k" expected a whole number/],
    [['evaluate', 'index'], /required option '--against <file>'/],
    [['evaluate', 'index', '--against', 'vectors.npy', '-k', '0'], /"k" expected a whole number/],
    [['compress', 'vectors.npy', '--bits', '2', '-o', 'vectors.npy'], /is the input itself/],
    [['compress', 'vectors.npy', '--bits', '2', '-o', 'hard link.npy'], /is the input itself/],
    [
      ['compress', 'vectors.npy', '--recall', '.5', '-o', 'out', '--plot', 'vectors.npy'],
      /--plot vectors\.npy is the input itself/
    ],
    [['compress', 'vectors.npy', '--recall', '.5', '-o', 'out', '--plot', 'hard link.npy'], /is the input itself/],
    [['compress', 'vectors.npy', '--recall', '.5', '-o', 'out', '--plot', './out'], /--plot and --output are one file/],
    [['compress', 'one.npy', '--recall', '.5', '--plot', './one.index.safetensors'], /--plot and --output are one file/]
  ])('exit code 2: %j', async (args, message) => {
    const { code, stderr } = await failing(args)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as parquet from 'hyparquet'
import { afterAll, describe, expect, it } from 'vitest'
import { readVectors, type ReadVectors, type ReadVectorsOptions } from '../../../src/embeddings/vectors/readVectors.js'
import { encodeNpy } from '../../../src/files/npy.js'
import { encodeSafetensors } from '../../../src/files/safetensorsWriter.js'
import { wrong } from '../../support/errors.js'
import { concat } from '../../support/files.js'
import { rows, expected, text, vecs, withIds, npy, table } from '../../support/vectorFiles.js'

const jsonl = (values: unknown[]): string => values.map((value) => JSON.stringify(value)).join('\n')

const idsAndText = {
  ids: [7, 8],
  records: [
    { id: 7, text: 't0' },
    { id: 8, text: 't1' }
  ]
}
const bigIds = {
  ids: [7, 8],
  records: [
    { id: 7n, text: 't0' },
    { id: 8n, text: 't1' }
  ]
}

const f16 = { dtype: 'F16', shape: [2, 3], data: Uint16Array.of(0x3c00, 0xc100, 0x0005, 0x3400, 0, 0xb000) } as const

/** A column as Arrow has it: a list is a column of its own (apache-arrow, Vector). */
const column = (values: readonly unknown[], type: object = {}) => ({
  type,
  get: (row: number) => {
    const value = values[row]
    return Array.isArray(value) || ArrayBuffer.isView(value) ? { toArray: () => value } : value
  }
})
const arrowTable = (columns: Record<string, ReturnType<typeof column>>) => ({
  numRows: 2,
  schema: { fields: Object.keys(columns).map((name) => ({ name })) },
  getChild: (name: string) => columns[name]
})
const floats = rows.map((row) => Float32Array.from(row))
const arrow = arrowTable({ id: column([7n, 8n]), text: column(['t0', 't1']), embedding: column(floats) })

const plain = { ids: undefined, records: undefined }
type Case = [input: unknown, rest?: Partial<ReadVectors>, options?: ReadVectorsOptions]

const inputs: Record<string, Case> = {
  'JSON of nested arrays': [JSON.stringify(rows)],
  'JSON of nested arrays over several lines': [JSON.stringify(rows, null, 2)],
  'JSON with a byte order mark': [concat(Uint8Array.of(0xef, 0xbb, 0xbf), text(JSON.stringify(rows)))],
  'JSON of records': [JSON.stringify(withIds), idsAndText],
  "JSON of an API's answer": [
    JSON.stringify({ object: 'list', data: rows.map((embedding, index) => ({ index, embedding })) })
  ],
  'JSON of a store': [JSON.stringify({ version: 1, vectors: withIds }), idsAndText],
  'JSON of ids and embeddings': [JSON.stringify({ ids: ['a', 'b'], embeddings: rows }), { ids: ['a', 'b'] }],
  'JSON of records with a column of another name': [
    JSON.stringify(rows.map((dense, i) => ({ key: `k${i}`, dense }))),
    { ids: ['k0', 'k1'], records: [{ key: 'k0' }, { key: 'k1' }] },
    { id: 'key' }
  ],
  'JSON lines of records': [jsonl(withIds), idsAndText],
  'JSON lines of vectors': [`${jsonl(rows)}\n`],
  'JSON lines with CRLF and blank lines': [`\n${jsonl(withIds).replace('\n', '\r\n\r\n')}\r\n`, idsAndText],
  'JSON lines with a column named': [
    jsonl(rows.map((b) => ({ a: [1], b }))),
    { records: [{ a: [1] }, { a: [1] }] },
    { column: 'b' }
  ],
  // Python: csv.writer and json.dumps; psql: COPY items TO STDOUT WITH (FORMAT csv, HEADER).
  'CSV with lists of JSON': [
    'id,text,embedding\r\n7,t0,"[1.0, -2.5, 3e-07]"\r\n8,t1,"[0.25, 0.0, -0.125]"\r\n',
    {
      ids: [7, 8],
      records: [
        { id: 7, text: 't0' },
        { id: 8, text: 't1' }
      ]
    }
  ],
  "CSV with pgvector's literals and quotes inside": [
    'id,text,embedding\n007,"a ""quoted"", word","[1,-2.5,3e-07]"\nx,"two\nlines","[0.25,0,-0.125]"',
    {
      ids: ['007', 'x'],
      records: [
        { id: '007', text: 'a "quoted", word' },
        { id: 'x', text: 'two\nlines' }
      ]
    }
  ],
  'CSV with a column that is found by what it holds': [
    'name,v\na,"[1,-2.5,3e-7]"\nb,"[0.25,0,-0.125]"\n',
    { records: [{ name: 'a' }, { name: 'b' }] }
  ],
  'CSV of numbers': ['1,-2.5,3e-7\n0.25,0,-0.125\n'],
  '.npy': [npy],
  '.npy as ArrayBuffer': [npy.buffer],
  '.npy as a Blob': [new Blob([npy])],
  '.npy of f64': [encodeNpy({ shape: [2, 3], data: Float64Array.from(rows.flat()) })],
  '.npy inside a larger buffer': [concat(text('xyz'), npy).subarray(3)],
  'a safetensors file of one tensor': [encodeSafetensors([{ name: 'x', shape: [2, 3], data: expected }])],
  'a safetensors file of several': [
    encodeSafetensors([
      { name: 'ids', shape: [2], data: Int32Array.of(1, 2) },
      { name: 'other', shape: [2, 3], data: new Float32Array(6) },
      { name: 'vectors', shape: [2, 3], data: expected }
    ])
  ],
  'a tensor that is named': [
    encodeSafetensors([
      { name: 'a', shape: [2, 3], data: expected },
      { name: 'embeddings', shape: [1, 1], data: new Float32Array(1) }
    ]),
    {},
    { column: 'a' }
  ],
  '.fvecs': [vecs(rows, Float32Array)],
  '.fvecs that is not aligned': [concat(Uint8Array.of(1), vecs(rows, Float32Array)).subarray(1)],
  'Parquet, with hyparquet': [new Uint8Array(table), bigIds, { parquet }],
  'rows that a library has read': [withIds, idsAndText],
  'an Arrow table': [arrow, bigIds],
  'an Arrow file, with a library': [text('ARROW1\0\0…'), bigIds, { arrow: { tableFromIPC: () => arrow } }],
  'tensors and lists as they are': [{ data: expected, shape: [2, 3] }]
}

describe('vectors are read from', () => {
  it.each(Object.keys(inputs))('%s', async (what) => {
    const [input, rest, options] = inputs[what]!
    const read = await readVectors(wrong(input), options)
    expect(read.vectors).toEqual({ data: expected, shape: [2, 3] })
    expect({ ids: read.ids, records: read.records }).toEqual({ ...plain, ...rest })
  })

  const halves = Float32Array.of(1, -2.5, 5 * 2 ** -24, 0.25, 0, -0.125)
  it.each([
    ['.npy of float16', encodeNpy(f16)],
    ['safetensors of float16', encodeSafetensors([{ name: 'x', ...f16 }])],
    ['a tensor of patterns', f16],
    [
      'Arrow of float16',
      arrowTable({
        v: column([f16.data.subarray(0, 3), f16.data.subarray(3)], { children: [{ type: { precision: 0 } }] })
      })
    ]
  ])('%s', async (_, input) => {
    expect((await readVectors(wrong(input))).vectors).toEqual({ data: halves, shape: [2, 3] })
  })

  it.each([
    [
      '.bvecs',
      vecs(
        [
          [1, 255, 0],
          [7, 8, 9]
        ],
        Uint8Array
      ),
      {}
    ],
    [
      '.ivecs',
      vecs(
        [
          [1, 255, 0],
          [7, 8, 9]
        ],
        Int32Array
      ),
      {}
    ],
    [
      '.ivecs by its format',
      vecs(
        [
          [1, 255, 0],
          [7, 8, 9]
        ],
        Int32Array
      ),
      { format: 'ivecs' }
    ],
    ['.npy of int64', encodeNpy({ shape: [2, 3], data: BigInt64Array.of(1n, 255n, 0n, 7n, 8n, 9n) }), {}]
  ] as [string, Uint8Array<ArrayBuffer>, ReadVectorsOptions][])('%s', async (_, bytes, options) => {
    const { vectors } = await readVectors(bytes, options)
    expect(vectors).toEqual({ data: Float32Array.of(1, 255, 0, 7, 8, 9), shape: [2, 3] })
  })

  it('one vector as (1, d), and none', async () => {
    expect((await readVectors(encodeNpy({ shape: [3], data: floats[0]! }))).vectors.shape).toEqual([1, 3])
    expect((await readVectors('[1,2,3]')).vectors.shape).toEqual([1, 3])
    expect((await readVectors('[]')).vectors).toEqual({ data: new Float32Array(0), shape: [0, 0] })
  })

  it('many lines, whose array grows', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => [i, 1 - i])
    expect((await readVectors(jsonl(many))).vectors).toEqual({ data: Float32Array.from(many.flat()), shape: [1000, 2] })
  })

  // RFC 4180, 2: a field with a comma, a quote or a line break is quoted, and a quote in it is written twice.
  it('CSV of any text', async () => {
    const quoted = (field: string): string => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', ' ', '[', '1', '😀'), maxLength: 8 })
    const record = fc.record({
      text: cell,
      vector: fc.tuple(fc.integer(), fc.integer()).map((pair) => pair.map(Math.fround)),
      end: cell
    })
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1 }), fc.constantFrom('\n', '\r\n'), async (list, end) => {
        const lines = list.map((item) => [item.text, JSON.stringify(item.vector), item.end].map(quoted).join(','))
        const { vectors, records } = await readVectors(`text,vector,end${end}${lines.join(end)}${end}`, {
          format: 'csv'
        } as never)
        expect(vectors).toEqual({
          data: Float32Array.from(list.flatMap(({ vector }) => vector)),
          shape: [list.length, 2]
        })
        expect(records).toEqual(list.map(({ text, end }) => ({ text, end })))
      })
    )
  })

  it('ids that are too long for numbers', async () => {
    const { ids } = await readVectors([{ id: 2n ** 60n, embedding: [1] }] as never)
    expect(ids).toEqual([String(2n ** 60n)])
  })

  const folder = mkdtempSync(join(tmpdir(), 'tersor-read-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  it.each([
    ['vectors.npy', npy],
    ['vectors.csv', text('id,embedding\n1,"[1,-2.5,3e-7]"\n2,"[0.25,0,-0.125]"')],
    ['vectors.jsonl', text(jsonl(withIds))],
    ['base.fvecs', vecs(rows, Float32Array)]
  ])('the file %s', async (name, bytes) => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    expect((await readVectors(path)).vectors).toEqual({ data: expected, shape: [2, 3] })
  })

  it('a file of one layout by its name', async () => {
    const path = join(folder, 'base.fvecs')
    writeFileSync(path, vecs([[1, 2, 3]], Int32Array))
    expect((await readVectors(path)).vectors.data[0]).toBe(2 ** -149)
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as parquet from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, describe, expect, it } from 'vitest'
import { FormatError } from '../../../src/core/errors.js'
import { readVectors, type ReadVectors, type ReadVectorsOptions } from '../../../src/embeddings/vectors/readVectors.js'
import { encodeNpy } from '../../../src/files/npy.js'
import { encodeSafetensors } from '../../../src/files/safetensorsWriter.js'
import { wrong } from '../../support/errors.js'
import { concat } from '../../support/files.js'

const rows = [
  [1, -2.5, 3e-7],
  [0.25, 0, -0.125]
]
const expected = Float32Array.from(rows.flat())
const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
const jsonl = (values: unknown[]): string => values.map((value) => JSON.stringify(value)).join('\n')

/** The bytes of a .fvecs, .ivecs or .bvecs file. */
function vecs(
  vectors: readonly number[][],
  Type: typeof Float32Array | typeof Int32Array | typeof Uint8Array
): Uint8Array<ArrayBuffer> {
  return concat(
    ...vectors.flatMap((vector) => [
      new Uint8Array(Int32Array.of(vector.length).buffer),
      new Uint8Array(Type.from(vector).buffer)
    ])
  )
}

const withIds = rows.map((embedding, i) => ({ id: i + 7, text: `t${i}`, embedding }))
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
const npy = encodeNpy({ shape: [2, 3], data: expected })
const f16 = { dtype: 'F16', shape: [2, 3], data: Uint16Array.of(0x3c00, 0xc100, 0x0005, 0x3400, 0, 0xb000) } as const

const table = parquetWriteBuffer({
  columnData: [
    { name: 'id', data: [7n, 8n] },
    { name: 'text', data: ['t0', 't1'] },
    { name: 'embedding', data: rows }
  ],
  schema: [
    { name: 'root', num_children: 3 },
    { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
    { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    { name: 'embedding', num_children: 1, converted_type: 'LIST', repetition_type: 'OPTIONAL' },
    { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
    { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' }
  ]
})

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

describe('the error names what is wrong with', () => {
  const bad = (type: abstract new (...parameters: never[]) => Error, ...parts: (string | RegExp)[]) => ({ type, parts })
  const cases: Record<string, [input: unknown, error: ReturnType<typeof bad>, options?: object]> = {
    'rows of two lengths in JSON': [
      '[[1,2],[3]]',
      bad(FormatError, 'vector 1, expected 2 numbers, as in the first vector, got 1')
    ],
    'rows of two lengths in JSON lines': ['[1,2]\n\n[3]', bad(FormatError, 'line 3, expected 2 numbers')],
    'a null in JSON lines': [
      '{"embedding":[1]}\n{"embedding":[null]}',
      bad(FormatError, 'line 2, expected a number at 0, got null')
    ],
    'a record without a vector': [
      '{"embedding":[1]}\n{"id":1}',
      bad(FormatError, 'line 2, expected an array of numbers')
    ],
    'JSON lines that end too early': ['{"embedding":[1]}\n{"embe', bad(FormatError, 'line 2, expected JSON')],
    'text on a line': ['[1]\n"x"', bad(FormatError, 'line 2, expected a record or a vector, got "x"')],
    'JSON that is none': ['{"embedding": [1,', bad(FormatError, 'expected JSON')],
    'UTF-8 that is none': [
      concat(text('a,b\n'), Uint8Array.of(0xff, 0xfe), text('\n')),
      bad(FormatError, 'line 2, expected UTF-8')
    ],
    'a column that does not exist': [
      JSON.stringify(withIds),
      bad(RangeError, '"column" expected one of the columns ("id", "text", "embedding"), got "vec"'),
      { column: 'vec' }
    ],
    'no column of vectors': [
      'id,text\n1,x\n',
      bad(RangeError, 'expected a column of vectors, got "id", "text"', '{ column: "name" }')
    ],
    'two columns of vectors': [
      '{"a":[1],"b":[2]}\n{"a":[1],"b":[2]}',
      bad(RangeError, 'expected one column of vectors')
    ],
    'an id that is missing': [
      '[{"embedding":[1]}]',
      bad(FormatError, 'vector 0, expected a string or a number as "key"'),
      { id: 'key' }
    ],
    'a CSV vector without quotes': [
      'id,embedding\n1,[1,2]\n',
      bad(FormatError, 'line 2, expected 2 fields', 'has to be quoted')
    ],
    'a CSV vector that was printed': [
      'id,embedding\n1,"[ 0.1  -0.2\n  0.3 ]"\n',
      bad(FormatError, 'line 2, expected a list like [0.1, 0.2]', 'json.dumps'),
      { column: 'embedding' }
    ],
    'a quote that is not closed': [
      'id,embedding\n1,"[1,2]\n',
      bad(FormatError, 'line 2: a quote is opened and never closed')
    ],
    'text after a quote': [
      'id,embedding\n1,"[1]"x\n',
      bad(FormatError, 'line 2: expected a comma after a closing quote, got "x"')
    ],
    'a column twice': ['id,id\n1,2\n', bad(FormatError, 'line 1, expected a header with each column once')],
    'text among numbers': ['1,2\n3,x\n', bad(FormatError, 'line 2, expected a number in field 1, got "x"')],
    'fvecs of two dimensions': [
      vecs([[1, 2], [3]], Float32Array),
      bad(FormatError, '.fvecs', 'got 20 bytes'),
      { format: 'fvecs' }
    ],
    'fvecs whose second dimension is wrong': [
      concat(vecs([[1, 2]], Float32Array), vecs([[3], []], Float32Array)),
      bad(FormatError, 'vector 1 expected dimension 2, as the first, got 1'),
      { format: 'fvecs' }
    ],
    'fvecs of dimension 0': [new Uint8Array(4), bad(FormatError, 'at least 1, got 0'), { format: 'fvecs' }],
    'ivecs beyond float32': [
      vecs([[2 ** 24 + 1]], Int32Array),
      bad(FormatError, '16777217 at 0 of vector 0'),
      { format: 'ivecs' }
    ],
    'a .npy of three dimensions': [
      encodeNpy({ shape: [1, 1, 1], data: new Float32Array(1) }),
      bad(FormatError, '(n, d), got 1x1x1')
    ],
    'a .npy that is cut': [npy.subarray(0, -1), bad(FormatError, 'expected 24 bytes of data')],
    'f64 beyond float32': [
      encodeNpy({ shape: [1, 1], data: Float64Array.of(1e39) }),
      bad(FormatError, 'got 1e+39 at index 0')
    ],
    'f64 beyond float32, in memory': [
      { data: Float64Array.of(1, 1e39), shape: [1, 2] },
      bad(RangeError, 'readVectors: "input" expected numbers within float32, got 1e+39 at index 1')
    ],
    'CSV whose lines end in CR': [
      'id,embedding\r1,"[1,2]"\r',
      bad(FormatError, 'line 1, expected lines that end in LF or CRLF')
    ],
    'safetensors of several tensors': [
      encodeSafetensors(['a', 'b'].map((name) => ({ name, shape: [1, 1], data: new Float32Array(1) }))),
      bad(RangeError, 'expected one tensor of shape (n, d), got "a", "b"')
    ],
    'a tensor that does not exist': [
      npy,
      bad(RangeError, '"column" expected one of the tensors ("data"), got "x"'),
      { column: 'x' }
    ],
    'Parquet without a library': [new Uint8Array(table), bad(TypeError, 'npm install hyparquet')],
    'Parquet that is broken': [new Uint8Array(table).slice(0, 40), bad(FormatError, 'Parquet: '), { parquet }],
    'Arrow without a library': [text('ARROW1\0\0'), bad(TypeError, 'npm install apache-arrow')],
    'another kind of file': [text('PK\x03\x04\0\0'), bad(FormatError, 'expected a file of json, jsonl', 'bytes 80 75')],
    'an empty file': [new Uint8Array(0), bad(FormatError, 'got an empty one')],
    'a word': [text('hello'), bad(FormatError, 'got "hello"')],
    'no input': [undefined, bad(TypeError, 'readVectors: "input"', 'undefined')],
    'an unknown option': [npy, bad(TypeError, 'unknown option "field"'), { field: 'x' }],
    'an unknown format': [npy, bad(TypeError, '"format" expected one of json'), { format: 'xml' }],
    'a column that is no name': [npy, bad(TypeError, '"column" expected a string, got 1'), { column: 1 }]
  }
  it.each(Object.keys(cases))('%s', async (what) => {
    const [input, { type, parts }, options] = cases[what]!
    const error = await readVectors(wrong(input), wrong(options)).then(
      (read) => expect.fail(`expected an error, got ${read.vectors.shape.join('x')}`),
      (thrown: Error) => thrown
    )
    expect(error, error.stack).toBeInstanceOf(type)
    for (const part of parts) expect(error.message).toEqual(expect.stringContaining(String(part)))
  })

  it('a path that does not exist', async () => {
    await expect(readVectors('/no/such/file.npy')).rejects.toThrow('ENOENT')
  })
})

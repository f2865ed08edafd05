import { describe, expect, it } from 'vitest'
import { readTensor } from '../../../src/core/tensor.js'
import { vectorsOf, type VectorsLike } from '../../../src/embeddings/vectors/vectors.js'
import { expectError, wrong } from '../../support/errors.js'

// Exact in f32.
const rows = [
  [1, -2.5, 3],
  [0.25, 0, -0.125]
]
const flat = rows.flat()
const f32 = Float32Array.from(flat)
const bytes = Buffer.from(f32.buffer)
const base64 = rows.map((row) => Buffer.from(Float32Array.from(row).buffer).toString('base64'))
const typed = rows.map((row) => Float32Array.from(row))

/** A tensor as transformers.js has it: a class whose fields are getters, behind a proxy (src/utils/tensor.js there). */
class TokenlessTensor {
  constructor(private readonly inner: { data: Float32Array; dims: number[] }) {
    return new Proxy(this, { get: (tensor, key) => Reflect.get(tensor, key) as unknown })
  }
  get data() {
    return this.inner.data
  }
  get dims() {
    return this.inner.dims
  }
  get type() {
    return 'float32'
  }
}

const forms: Record<string, unknown> = {
  'a tensor { data, shape }': { data: f32, shape: [2, 3] },
  'a tensor { data, dims } of a runtime': { data: f32, dims: [2, 3], type: 'float32' },
  'a tensor of transformers.js': new TokenlessTensor({ data: f32, dims: [2, 3] }),
  'one tensor for each text': rows.map((row) => new TokenlessTensor({ data: Float32Array.from(row), dims: [1, 3] })),
  'a tensor of numbers in a list': { data: flat, shape: [2, 3] },
  'a tensor of f64': { data: Float64Array.from(flat), shape: [2, 3] },
  'flat numbers and their dimension': { data: f32, dimensions: 3 },
  'nested arrays': rows,
  'nested arrays as data': { data: rows },
  'a list of Float32Array': typed,
  'a list of Float64Array': rows.map((row) => Float64Array.from(row)),
  'arrays and typed arrays mixed': [rows[0], typed[1]],
  'records with an embedding': rows.map((embedding, id) => ({ id, embedding, text: 'x' })),
  'records with a vector': typed.map((vector, id) => ({ id, vector })),
  'records with values': rows.map((values, id) => ({ id: `#${id}`, values, metadata: {} })),
  'records with base64': base64.map((embedding) => ({ embedding })),
  'a list of base64': base64,
  "records with pgvector's text": rows.map((row) => ({ embedding: `[${row.join(',')}]` })),
  "records with Postgres's real[]": rows.map((row) => ({ embedding: `{${row.join(',')}}` })),
  "OpenAI's answer": {
    object: 'list',
    data: rows.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 8, total_tokens: 8 }
  },
  "OpenAI's answer in base64, out of order": {
    data: base64.map((embedding, index) => ({ object: 'embedding', index, embedding })).reverse()
  },
  "OpenAI's items of several answers": rows.map((embedding) => ({ index: 0, embedding })),
  "Cohere's answer, v1, and Ollama's": { model: 'x', embeddings: rows },
  "Cohere's answer, v2": { id: 'x', embeddings: { float: rows, int8: [[1, 2, 3]] } },
  "Gemini's answer": { embeddings: rows.map((values) => ({ values })) },
  "Chroma's answer": { ids: ['a', 'b'], embeddings: rows, documents: null },
  'what readVectors gives': { vectors: { data: f32, shape: [2, 3] }, ids: [1, 2] },
  'vectors in a list': { vectors: rows }
}

describe('vectors', () => {
  it.each(Object.keys(forms))('are read from %s', (form) => {
    const read = vectorsOf('encode', forms[form])
    expect(read.shape).toEqual([2, 3])
    expect(read.single).toBe(false)
    expect(Float32Array.from(read.data)).toEqual(f32)
    // The same as readTensor has it, which takes it again.
    expect(readTensor('encode', 'vectors', read)).toMatchObject({ shape: [2, 3], size: 6, data: read.data })
    expect(read.name).toBe('encode: "vectors"')
  })

  it('are read from the patterns of 16-bit floats', () => {
    const data = Uint16Array.of(0x3c00, 0xc000)
    for (const tensor of [
      { data, shape: [2, 1], dtype: 'F16' },
      { data, dims: [2, 1], type: 'float16' }
    ]) {
      expect(vectorsOf('encode', tensor)).toMatchObject({ bits: 'float16', dtype: 'float16', shape: [2, 1], data })
      expect(readTensor('encode', 'vectors', vectorsOf('encode', tensor)).bits).toBe('float16')
    }
    expect(vectorsOf('encode', { data, shape: [2, 1] }).bits).toBeUndefined()
  })

  const singles: Record<string, unknown> = {
    'an array': rows[0],
    'a typed array': typed[0],
    'a tensor': { data: typed[0], shape: [3] },
    'a record': { id: 1, embedding: rows[0] },
    'base64 in a record': { embedding: base64[0] },
    "Ollama's answer to one text": { embedding: rows[0] },
    "Gemini's answer to one text": { embedding: { values: rows[0] } }
  }
  it.each(Object.keys(singles))('may be one: %s', (form) => {
    const read = vectorsOf('encode', singles[form])
    expect(read).toMatchObject({ shape: [1, 3], single: true })
    expect([...read.data]).toEqual(rows[0])
  })

  it('of a list of one are a list', () => {
    expect(vectorsOf('encode', [rows[0]])).toMatchObject({ shape: [1, 3], single: false })
    expect(vectorsOf('encode', { data: typed[0], dims: [1, 3] })).toMatchObject({ shape: [1, 3], single: false })
  })

  it('are cut from a flat array where the dimension is known', () => {
    expect(vectorsOf('encode', f32, 'vectors', 3)).toMatchObject({ shape: [2, 3], single: false, data: f32 })
    expect(vectorsOf('encode', flat, 'vectors', 3)).toMatchObject({ shape: [2, 3], data: f32 })
    expect(vectorsOf('encode', f32, 'vectors', 6)).toMatchObject({ shape: [1, 6], single: true })
  })

  it.each([
    [[]],
    [new Float32Array(0)],
    [{ data: [] }],
    [{ embeddings: [] }],
    [{ data: new Float32Array(0), shape: [0, 5] }]
  ])('may be none: %j', (none) => {
    expect(vectorsOf('add', none, 'vectors', 5)).toMatchObject({ shape: [0, 5], size: 0 })
  })

  it('are not copied where they stand in one typed array', () => {
    expect(vectorsOf('encode', { data: f32, shape: [2, 3] }).data).toBe(f32)
  })

  // usearch's exactSearch reads a subarray from the beginning of its buffer.
  it('begin where a subarray begins', () => {
    const padded = Float32Array.of(9, 9, ...flat, 9)
    const part = padded.subarray(2, 8)
    const inside = Array.from({ length: 2 }, (_, i) => padded.subarray(2 + 3 * i, 5 + 3 * i))
    for (const form of [
      { data: part, shape: [2, 3] },
      { data: part, dimensions: 3 },
      inside,
      inside.map((vector) => ({ vector }))
    ]) {
      expect(Float32Array.from(vectorsOf('encode', form).data)).toEqual(f32)
    }
  })

  it('are rounded to float32 as a typed array rounds', () => {
    const ugly = [0.1, 1e-46, -1e-45, 3.4028235677973362e38, 1 / 3, -0]
    expect(vectorsOf('encode', [ugly]).data).toEqual(Float32Array.from(ugly))
    expect(Object.is(vectorsOf('encode', [ugly]).data[5], -0)).toBe(true)
  })

  it('that are not finite are left to the kernels', () => {
    expect([...vectorsOf('encode', [[NaN, Infinity]]).data]).toEqual([NaN, Infinity])
  })
})

describe('vectors are refused', () => {
  const cases: Record<string, [input: unknown, type: typeof TypeError, ...parts: (string | RegExp)[]]> = {
    nothing: [undefined, TypeError, 'encode: "vectors" expected { data, shape: [n, d] }', 'got undefined'],
    null: [null, TypeError, 'got null'],
    text: ['[1,2]', TypeError, 'got "[1,2]"'],
    'a promise': [Promise.resolve(rows), TypeError, 'a promise; await it first'],
    'an object of something else': [{ texts: [] }, TypeError, 'an object with texts'],
    'rows of two lengths': [
      [[1, 2], [3, 4], [5]],
      RangeError,
      'encode: "vectors", vector 2, expected 2 numbers, as in the first vector, got 1'
    ],
    'a hole': [
      Object.assign(Array(3), { 0: [1], 2: [2] }),
      TypeError,
      'vector 1, expected an array of numbers or a record',
      'got undefined'
    ],
    'a null in a vector': [
      [
        [1, 2],
        [3, null]
      ],
      TypeError,
      'vector 1, expected a number at 1, got null'
    ],
    'text in a vector': [[['1']], TypeError, 'vector 0, expected a number at 0, got "1"'],
    bigints: [[BigInt64Array.of(1n)], TypeError, 'vector 0, expected an array of numbers'],
    'vectors of tokens': [
      [
        [
          [1, 2],
          [3, 4]
        ]
      ],
      TypeError,
      'vector 0',
      'pool them first'
    ],
    'a tensor of tokens': [
      { data: new Float32Array(8), dims: [2, 2, 2] },
      RangeError,
      '(n, d), got 2x2x2',
      "pooling: 'mean'"
    ],
    'a record without a vector': [
      [{ embedding: [1] }, { id: 2 }],
      TypeError,
      'vector 1, expected',
      'got an object with id'
    ],
    'a record whose vector is null': [[{ embedding: null }], TypeError, 'vector 0', 'got null'],
    'a Buffer': [[{ embedding: bytes }], TypeError, 'vector 0, expected numbers, got bytes', 'new Float32Array('],
    'a Buffer alone': [bytes, TypeError, 'got a Buffer; readVectors reads files'],
    'beyond float32': [[[1], [1e39]], RangeError, 'vector 1, expected numbers within float32, got 1e+39 at 0'],
    'beyond float32 in f64': [[Float64Array.of(-1e39)], RangeError, 'got -1e+39 at 0'],
    'empty vectors': [[[]], RangeError, 'vector 0, expected at least one number'],
    'a column of bytes': [[{ embedding: new Uint8Array(8) }], TypeError, 'vector 0, expected numbers, got bytes'],
    'a tensor of empty vectors': [{ data: [], shape: [4, 0] }, RangeError, 'got shape 4x0'],
    'base64 that is none': [[{ embedding: 'é' }], TypeError, 'vector 0, expected numbers, "[0.1, 0.2]" or base64'],
    'base64 of three bytes': [[{ embedding: 'AAAA' }], RangeError, 'base64 of float32, 4 bytes a number, got 3 bytes'],
    'a printed array': [[{ embedding: '[ 0.1 -0.2\n 0.3]' }], TypeError, 'json.dumps(array.tolist())'],
    'a sparse literal': [[{ embedding: '{1:0.5}/3' }], TypeError, 'expected a list like [0.1, 0.2]'],
    'an index twice': [
      {
        data: [
          { index: 0, embedding: [1] },
          { index: 0, embedding: [1] }
        ]
      },
      RangeError,
      'index from 0 to 1 once'
    ],
    'a flat array of many vectors': [new Float32Array(10000), RangeError, 'at most 8192 numbers, got 10000', '[n, d]'],
    'flat numbers that do not fit': [{ data: f32, dimensions: 4 }, RangeError, 'a multiple of 4 numbers, got 6'],
    'a dimension of 0': [{ data: f32, dimensions: 0 }, RangeError, 'at least 1, got 0'],
    'a shape that does not fit': [{ data: f32, shape: [3, 3] }, RangeError, 'expected length 9 (3x3), got 6'],
    'tensors of two rows in a list': [[{ data: f32, dims: [2, 3] }], RangeError, 'one vector, got shape 2x3']
  }
  it.each(Object.keys(cases))('%s', (what) => {
    const [input, type, ...parts] = cases[what]!
    expectError(() => vectorsOf('encode', wrong(input)), type, ...parts)
  })

  it('of another dimension than that of the codec', () => {
    expectError(
      () => vectorsOf('add', rows, 'vectors', 4),
      RangeError,
      'add: "vectors" expected vectors of dimension 4, got 3'
    )
    expectError(() => vectorsOf('search', [1, 2], 'queries', 4), RangeError, 'search: "queries" expected', 'got 2')
  })

  it('whose buffer was transferred', () => {
    const gone = new Float32Array(3)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    expectError(() => vectorsOf('encode', [gone]), TypeError, 'transferred')
    expectError(() => vectorsOf('encode', gone), TypeError, 'transferred')
  })
})

it('takes by its types what it reads', () => {
  const typedForms: VectorsLike[] = [
    { data: f32, shape: [2, 3] },
    rows,
    typed,
    [{ embedding: rows[0]! }],
    { data: [{ embedding: 'AACAPw==' }] },
    { embeddings: rows },
    { embeddings: { float: rows } },
    { data: f32, dimensions: 3 }
  ]
  for (const form of typedForms) expect(vectorsOf('encode', form).size).toBeGreaterThan(0)
})

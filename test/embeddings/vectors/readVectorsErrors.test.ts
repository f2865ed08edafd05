import * as parquet from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../../src/core/errors.js'
import { readVectors } from '../../../src/embeddings/vectors/readVectors.js'
import { encodeNpy } from '../../../src/files/npy.js'
import { encodeSafetensors } from '../../../src/files/safetensorsWriter.js'
import { wrong } from '../../support/errors.js'
import { concat } from '../../support/files.js'
import { text, vecs, withIds, npy, table } from '../../support/vectorFiles.js'

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

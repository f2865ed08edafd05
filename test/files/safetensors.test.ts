import { describe, expect, it } from 'vitest'
import { FormatError } from '../../src/core/errors.js'
import type { Dtype, TensorEntry } from '../../src/files/dtypes.js'
import { openTensors } from '../../src/files/open.js'
import { decodeSafetensors, readSafetensors } from '../../src/files/safetensors.js'
import { encodeSafetensors, safetensorsHeader } from '../../src/files/safetensorsWriter.js'
import { toSource } from '../../src/files/source.js'
import { bytesOf, CARRIERS, concat, counting, example, pattern, rawSafetensors, rejection } from '../support/files.js'

/** Piece by piece, as files are read. */
const read = (file: Uint8Array) => readSafetensors(toSource(file))

describe('encodeSafetensors', () => {
  it('writes the bytes that the format says', () => {
    const file = encodeSafetensors(
      [
        { name: 'b', shape: [], data: Float32Array.of(1) },
        { name: 'a', shape: [3], data: Uint8Array.of(7, 8, 9) }
      ],
      { z: '1', a: 'ä' }
    )
    const header =
      '{"__metadata__":{"a":"ä","z":"1"},"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
      '"a":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}'
    const size = Math.ceil(new TextEncoder().encode(header).length / 8) * 8
    const padded = concat(header, ' '.repeat(size)).subarray(0, size)
    expect(file).toEqual(rawSafetensors(padded, Uint8Array.of(0, 0, 0x80, 0x3f, 7, 8, 9)))
  })

  it('writes a file without tensors', async () => {
    const file = encodeSafetensors([])
    expect(file).toEqual(rawSafetensors('{}      '))
    expect((await openTensors(file)).tensors).toEqual([])
  })

  const dtypes = Object.keys(CARRIERS) as Dtype[]
  it.each(dtypes)('gives %s back', async (dtype) => {
    for (const shape of [[], [4], [3, 4, 5], [0], [4, 0, 3], [1, 1, 8]]) {
      if (((CARRIERS[dtype][0] * shape.reduce((a, b) => a * b, 1)) / 8) % 1) continue
      // Three bytes before it: the data is not aligned in the file.
      const before = { name: 'before', shape: [3], data: pattern(3) }
      const tensor = { name: 'it', ...example(dtype, shape) }
      const file = await openTensors(encodeSafetensors([before, tensor]))
      const back = await file.read('it')
      const byteLength = tensor.data.byteLength
      expect(back).toEqual({ ...tensor, byteLength })
      expect(back.data).toBeInstanceOf(CARRIERS[dtype][1])
      expect(back.data.buffer.byteLength).toBe(byteLength)
      expect(file.tensors.find(({ name }) => name === 'it')).toEqual({ name: 'it', dtype, shape, byteLength })
    }
  })

  it('keeps names and metadata that are dangerous to objects', async () => {
    const names = ['__proto__', 'constructor', 'toString', '', '1', '0', 'a"b\\c\n', '😀', '\u0000', '\u2028']
    const tensors = names.map((name, i) => ({ name, shape: [], data: Uint8Array.of(i) }))
    const metadata = Object.fromEntries(names.map((name) => [name, `of ${name}`]))
    expect(Object.hasOwn(metadata, '__proto__')).toBe(true)
    const file = await openTensors(encodeSafetensors(tensors, metadata))
    expect(file.tensors.map(({ name }) => name)).toEqual(names)
    for (const [i, name] of names.entries()) {
      expect([...(await file.read(name)).data]).toEqual([i])
      expect(file.metadata[name]).toBe(`of ${name}`)
    }
    expect(file.metadata['hasOwnProperty']).toBeUndefined()
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined()
  })

  it('takes any iterable once', async () => {
    const tensors = function* () {
      yield { name: 'a', shape: [1], data: Uint8Array.of(1) }
      yield { name: 'b', shape: [1], data: Int8Array.of(2) }
    }
    expect((await openTensors(encodeSafetensors(tensors()))).tensors.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  const data = new Float32Array(6)
  it.each([
    [3, {}, TypeError, 'encodeSafetensors: "tensors" expected an iterable of { name, shape, data }, got 3'],
    [[null], {}, TypeError, 'encodeSafetensors: tensor undefined expected { shape, data }, got null'],
    [[{ name: 'w', shape: [5], data }], {}, RangeError, 'tensor "w" expected length 5 (F32 5), got 6'],
    [[{ shape: [6], data }], {}, TypeError, "a tensor's name expected a well-formed string, got undefined"],
    [[{ name: '\ud800', shape: [6], data }], {}, TypeError, /expected a well-formed string/],
    [[{ name: '__metadata__', shape: [6], data }], {}, RangeError, 'a name that is not reserved, got "__metadata__"'],
    [
      [
        { name: 'w', shape: [6], data },
        { name: 'w', shape: [6], data }
      ],
      {},
      RangeError,
      'encodeSafetensors: each tensor expected a name of its own, got "w"'
    ],
    [[], { a: 1 }, TypeError, 'encodeSafetensors: "metadata" expected well-formed strings, got 1 as "a"'],
    [[], { a: '\ud800' }, TypeError, /well-formed strings/],
    [[], null, TypeError, 'encodeSafetensors: "metadata" expected an object of strings, got null'],
    [[], ['a'], TypeError, /expected an object of strings, got \["a"\]/]
  ])('refuses %o with metadata %o', (tensors, metadata, kind, message) => {
    const encode = () => encodeSafetensors(tensors as never, metadata as never)
    expect(encode).toThrow(kind)
    expect(encode).toThrow(message)
  })
})

describe('safetensorsHeader', () => {
  const entries: TensorEntry[] = [{ name: 'w', dtype: 'F32', shape: [2, 3], byteLength: 24 }]

  it('fills the room it is given', async () => {
    const short = safetensorsHeader(entries, { kind: 'test' })
    expect(short.length % 8).toBe(0)
    for (const room of [short.length, short.length + 8, 4096]) {
      const header = safetensorsHeader(entries, { kind: 'test' }, room)
      expect(header).toHaveLength(room)
      const contents = await read(concat(header, pattern(24)))
      expect(contents).toMatchObject({ tensors: entries, metadata: { kind: 'test' } })
      expect(bytesOf(await contents.read(0))).toEqual(pattern(24))
    }
  })

  it('says when the room is too little or odd', () => {
    const { length } = safetensorsHeader(entries)
    expect(() => safetensorsHeader(entries, {}, length - 8)).toThrow(
      `safetensorsHeader: "room" expected at least ${length} bytes for this header, got ${length - 8}`
    )
    expect(() => safetensorsHeader(entries, {}, length + 4)).toThrow('"room" expected a multiple of 8 bytes')
    expect(() => safetensorsHeader(entries, {}, 100_000_016)).toThrow('a header expected at most 100000000 bytes')
  })

  it('checks the size of each tensor', () => {
    const wrong: TensorEntry = { name: 'w', dtype: 'F32', shape: [2, 3], byteLength: 20 }
    expect(() => safetensorsHeader([wrong])).toThrow('tensor "w" expected 24 bytes (F32 2x3), got 20')
    expect(() => safetensorsHeader([{ name: 'w', dtype: 'F4', shape: [3], byteLength: 1.5 }])).toThrow(RangeError)
  })
})

describe('readSafetensors', () => {
  it('gives tensors in the order of their data, whatever the header says', async () => {
    const tensor = (begin: number, end: number) =>
      `{"data_offsets":[${begin},${end}],"extra":{"a":[1.5,"]}"]},"shape":[${end - begin}],"dtype":"U8"}`
    const contents = await read(
      rawSafetensors(`{"2":${tensor(4, 6)} , "empty":${tensor(4, 4)},\n"\\u0031":${tensor(0, 4)}}  `, 6)
    )
    expect(contents.tensors.map(({ name }) => name)).toEqual(['1', 'empty', '2'])
    expect(bytesOf(await contents.read(2))).toEqual(pattern(6).subarray(4))
  })

  it('takes metadata that repeats the names of tensors', async () => {
    const header =
      '{"__metadata__":{"a":"{\\"a\\":1,\\"a\\":2}","b":""},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}'
    expect((await read(rawSafetensors(header, 1))).metadata).toEqual({ a: '{"a":1,"a":2}', b: '' })
  })

  const u8 = (shape: string, offsets: string, dtype = 'U8') =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`
  const one = u8('[4]', '[0,4]')
  const valid = rawSafetensors(`{"a":${one}}`, 4)

  it('reads what the cases below are made from', async () => {
    expect((await read(valid)).tensors).toEqual([{ name: 'a', dtype: 'U8', shape: [4], byteLength: 4 }])
  })

  const cases: [title: string, file: Uint8Array, code: string, message: string | RegExp][] = [
    ['an empty file', new Uint8Array(0), 'truncated', 'a header length of 8 bytes, but the file has 0 bytes'],
    ['a cut length', valid.slice(0, 7), 'truncated', 'but the file has 7 bytes'],
    ['a cut header', valid.slice(0, 30), 'truncated', /a header of \d+ bytes, but the file has 30 bytes in all/],
    ['cut data', valid.slice(0, -1), 'truncated', 'tensor "a" expected data up to byte 4, but the file has only 3'],
    ['length 2^63', rawSafetensors('{}', 0, 2n ** 63n), 'bad-header', 'but its length says 9223372036854775808'],
    ['length 2^64 - 1', rawSafetensors('{}', 0, 2n ** 64n - 1n), 'bad-header', 'length says 18446744073709551615'],
    ['length above 100 MB', rawSafetensors('{}', 0, 100_000_001n), 'bad-header', 'at most 100000000 bytes'],
    ['length 1 too much', rawSafetensors('{}', 0, 3n), 'truncated', 'a header of 3 bytes, but the file has 10'],
    ['length 1 too little', rawSafetensors('{} ', 0, 1n), 'bad-header', 'expected the header in JSON'],
    ['an empty header', rawSafetensors('', 4), 'bad-header', 'to begin with "{", got an empty header'],
    ['an array', rawSafetensors('[]'), 'bad-header', 'to begin with "{", got byte 0x5b'],
    ['a leading space', rawSafetensors(' {}'), 'bad-header', 'got byte 0x20'],
    ['a byte order mark', rawSafetensors('\ufeff{}'), 'bad-header', 'got byte 0xef'],
    ['bytes that are not UTF-8', rawSafetensors(concat('{"', Uint8Array.of(0xff), '"')), 'bad-header', 'in UTF-8'],
    ['padding with NUL', rawSafetensors('{}\0'), 'bad-header', 'expected the header in JSON'],
    ['broken JSON', rawSafetensors('{"a":}'), 'bad-header', 'expected the header in JSON'],
    ['a trailing comma', rawSafetensors(`{"a":${one},}`, 4), 'bad-header', 'expected the header in JSON'],
    ['two values', rawSafetensors('{}{}'), 'bad-header', 'expected the header in JSON'],
    ['deep nesting', rawSafetensors(`{"a":${'['.repeat(200)}${']'.repeat(200)}}`), 'bad-header', 'than 128 levels'],
    [
      'a shape of many dimensions',
      rawSafetensors(`{"a":${u8(`[${'1,'.repeat(1e4)}1]`, '[0,4]')}}`, 4),
      'bad-offsets',
      'tensor "a" expected 1 bytes (U8 1x1x1'
    ],
    ['very deep nesting', rawSafetensors(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`), 'bad-header', ''],
    ['a name twice', rawSafetensors(`{"a":${one},"a":${one}}`, 4), 'duplicate-name', 'has the name "a" twice'],
    ['a name twice, once escaped', rawSafetensors(`{"a":${one},"\\u0061":${one}}`, 4), 'duplicate-name', '"a" twice'],
    ['a name with a quote twice', rawSafetensors('{"\\"{":1,"\\"{":1}'), 'duplicate-name', '"\\"{" twice'],
    ['__proto__ twice', rawSafetensors('{"__proto__":1,"__proto__":1}'), 'duplicate-name', '"__proto__" twice'],
    ['__metadata__ twice', rawSafetensors('{"__metadata__":{},"__metadata__":{}}'), 'duplicate-name', '__metadata__'],
    [
      'a field twice',
      rawSafetensors('{"a":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}}', 4),
      'duplicate-name',
      'has the name "dtype" twice in "a"'
    ],
    [
      'a metadata entry twice',
      rawSafetensors('{"__metadata__":{"x":"1","x":"2"}}'),
      'duplicate-name',
      'twice in "__metadata__"'
    ],
    ['metadata of numbers', rawSafetensors('{"__metadata__":{"x":1}}'), 'bad-header', 'a string as "x", got 1'],
    ['metadata in a list', rawSafetensors('{"__metadata__":["x"]}'), 'bad-header', 'an object of strings, got ["x"]'],
    ['metadata null', rawSafetensors('{"__metadata__":null}'), 'bad-header', 'an object of strings, got null'],
    [
      'half a surrogate pair in metadata',
      rawSafetensors('{"__metadata__":{"x":"\\ud800"}}'),
      'bad-header',
      'pair in "x"'
    ],
    ['half a surrogate pair', rawSafetensors(`{"\\ud800":${one}}`, 4), 'bad-header', 'half a surrogate pair'],
    ['an entry that is a list', rawSafetensors('{"a":[]}'), 'bad-header', 'tensor "a" expected { dtype, shape, '],
    ['an entry that is null', rawSafetensors('{"a":null}'), 'bad-header', 'data_offsets }, got null'],
    ['__proto__ as an entry', rawSafetensors('{"__proto__":1}'), 'bad-header', 'tensor "__proto__" expected {'],
    ['no dtype', rawSafetensors('{"a":{"shape":[4],"data_offsets":[0,4]}}', 4), 'bad-header', 'dtype, got undefined'],
    [
      'no shape',
      rawSafetensors('{"a":{"dtype":"U8","data_offsets":[0,4]}}', 4),
      'bad-header',
      'numbers, got undefined'
    ],
    ['no offsets', rawSafetensors('{"a":{"dtype":"U8","shape":[4]}}', 4), 'bad-offsets', 'got undefined'],
    [
      'fields by __proto__',
      rawSafetensors(`{"a":{"__proto__":${one}}}`, 4),
      'bad-header',
      'tensor "a" expected a string as dtype, got undefined'
    ],
    ['a dtype that is a number', rawSafetensors('{"a":{"dtype":8}}'), 'bad-header', 'a string as dtype, got 8'],
    [
      'an unknown dtype',
      rawSafetensors(`{"a":${u8('[4]', '[0,4]', 'Q4_0')}}`, 4),
      'unsupported-dtype',
      /a dtype of BOOL, U8, .*, got "Q4_0"/
    ],
    [
      'a dtype named as a property',
      rawSafetensors(`{"a":${u8('[4]', '[0,4]', 'constructor')}}`, 4),
      'unsupported-dtype',
      'got "constructor"'
    ],
    ['a negative length', rawSafetensors(`{"a":${u8('[-4]', '[0,4]')}}`, 4), 'bad-header', 'whole numbers, got [-4]'],
    ['a length of -0', rawSafetensors(`{"a":${u8('[-0]', '[0,0]')}}`), 'bad-header', 'a shape of whole numbers'],
    ['a broken length', rawSafetensors(`{"a":${u8('[1.5]', '[0,4]')}}`, 4), 'bad-header', 'whole numbers, got [1.5]'],
    ['a length in text', rawSafetensors(`{"a":${u8('["4"]', '[0,4]')}}`, 4), 'bad-header', 'whole numbers, got ["4"]'],
    ['a shape that is a number', rawSafetensors(`{"a":${u8('4', '[0,4]')}}`, 4), 'bad-header', 'numbers, got 4'],
    [
      'a length of 2^53',
      rawSafetensors(`{"a":${u8('[9007199254740993]', '[0,4]')}}`, 4),
      'bad-header',
      'whole numbers'
    ],
    [
      'a size that overflows',
      rawSafetensors(`{"a":${u8('[4294967296,4294967296]', '[0,0]')}}`),
      'bad-header',
      'fewer than 2^53 bits, got U8 4294967296x4294967296'
    ],
    [
      'a size that overflows before a 0',
      rawSafetensors(`{"a":${u8('[4294967296,4294967296,0]', '[0,0]')}}`),
      'bad-header',
      'fewer than 2^53 bits'
    ],
    [
      'half a byte',
      rawSafetensors(`{"a":${u8('[3]', '[0,2]', 'F4')}}`, 2),
      'bad-header',
      'whole bytes in all, got F4 3'
    ],
    [
      'one offset',
      rawSafetensors(`{"a":${u8('[4]', '[0]')}}`, 4),
      'bad-offsets',
      '[begin, end] in whole bytes, got [0]'
    ],
    ['three offsets', rawSafetensors(`{"a":${u8('[4]', '[0,4,4]')}}`, 4), 'bad-offsets', 'got [0, 4, 4]'],
    ['broken offsets', rawSafetensors(`{"a":${u8('[4]', '[0.5,4.5]')}}`, 5), 'bad-offsets', 'got [0.5, 4.5]'],
    ['negative offsets', rawSafetensors(`{"a":${u8('[4]', '[-4,0]')}}`, 4), 'bad-offsets', 'got [-4, 0]'],
    [
      'offsets in reverse',
      rawSafetensors(`{"a":${u8('[4]', '[4,0]')}}`, 4),
      'bad-offsets',
      'begin <= end, got data_offsets [4, 0]'
    ],
    [
      'a size that is not that of the shape',
      rawSafetensors(`{"a":${u8('[1,5]', '[0,4]', 'F32')}}`, 4),
      'bad-offsets',
      'tensor "a" expected 20 bytes (F32 1x5), got 4, data_offsets [0, 4]'
    ],
    [
      'data past the end',
      rawSafetensors(`{"a":${u8('[9]', '[0,9]')}}`, 4),
      'truncated',
      'up to byte 9, but the file has only 4'
    ],
    [
      'data far past the end',
      rawSafetensors(`{"a":${u8('[4]', '[1125899906842620,1125899906842624]')}}`, 4),
      'truncated',
      'tensor "a" expected data up to byte 1125899906842624'
    ],
    [
      'an overlap',
      rawSafetensors(`{"a":${one},"b":${u8('[4]', '[3,7]')}}`, 7),
      'bad-offsets',
      'tensor "b" overlaps tensor "a": expected it to begin at 4, got 3'
    ],
    [
      'the same data twice',
      rawSafetensors(`{"a":${one},"b":${one}}`, 4),
      'bad-offsets',
      'tensor "b" overlaps tensor "a"'
    ],
    [
      'a hole',
      rawSafetensors(`{"b":${u8('[4]', '[5,9]')},"a":${one}}`, 9),
      'bad-offsets',
      'tensor "b" leaves a hole before it: expected it to begin at 4, got 5'
    ],
    ['a hole at the start', rawSafetensors(`{"a":${u8('[4]', '[1,5]')}}`, 5), 'bad-offsets', 'to begin at 0, got 1'],
    ['an empty tensor in a hole', rawSafetensors(`{"a":${u8('[0]', '[2,2]')}}`, 4), 'bad-offsets', 'leaves a hole'],
    ['trailing bytes', rawSafetensors(`{"a":${one}}`, 5), 'bad-offsets', 'cover 5 bytes of data, but they end at 4'],
    ['data without tensors', rawSafetensors('{}', 1), 'bad-offsets', 'cover 1 bytes of data, but they end at 0']
  ]
  it.each(cases)('refuses %s', async (_, file, code, message) => {
    const error = await rejection(read(file))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(/^safetensors: /)
    expect(error.message).toMatch(message)
    expect(error.message.length).toBeLessThan(400)
    // Decoded in one piece it is refused in the same words.
    expect(() => decodeSafetensors(file)).toThrow(error)
  })

  it('reads the header once and no data when it opens, and one tensor without its neighbours', async () => {
    const tensors = ['a', 'b', 'c'].map((name, i) => ({ name, shape: [10 * (i + 1)], data: pattern(10 * (i + 1)) }))
    const bytes = encodeSafetensors(tensors)
    const source = counting(bytes)
    const file = await openTensors(source)
    const dataStart = bytes.length - 60
    expect(source.reads).toEqual([
      [0, 10],
      [0, 8],
      [8, dataStart - 8]
    ])
    source.reads.length = 0
    await file.read('b')
    expect(source.reads).toEqual([[dataStart + 10, 20]])
  })
})

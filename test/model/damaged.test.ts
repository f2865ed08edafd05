import { describe, expect, it } from 'vitest'
import { decompressModel, encodeSafetensors, openModel } from '../../src/model/index.js'
import { FormatError } from '../../src/model/index.js'
import type { Input } from '../support/models.js'
import { artefact, readRaw } from '../support/models.js'
import { normals } from '../support/random.js'
import { concat, rejection } from '../support/files.js'
import { compressed } from '../support/artefacts.js'

/** The file with its header changed as text, its length made right again. */
function withHeader(file: Uint8Array, change: (json: string) => string): Uint8Array<ArrayBuffer> {
  const { dataStart } = readRaw(file)
  const text = new TextEncoder().encode(change(new TextDecoder().decode(file.subarray(8, dataStart)).trimEnd()))
  const prefix = new Uint8Array(8)
  new DataView(prefix.buffer).setBigUint64(0, BigInt(text.length), true)
  return concat(prefix, text, file.subarray(dataStart))
}

const vector = (data: Input['data'], name = 'w'): Input => ({ name, shape: [data.length], data })
const scales = (...values: number[]): Input => vector(Float32Array.from(values), 'w:scales')
const dense = (shape: number[], rest: Record<string, unknown> = {}, name = 'w') => ({
  name,
  dtype: 'F32',
  shape,
  dense: { shape, ...rest }
})
const int8 = { quantize: { format: 'int8' } }

const factors = (u: number[], v: number[]): Input[] => [
  { name: 'w:u', shape: u, data: normals(u[0] * u[1], 1) },
  { name: 'w:v', shape: v, data: normals(v[0] * v[1], 2) }
]
const ranked = (rank: unknown, u: unknown, v: unknown, shape: number[] = [2, 3], rest = {}) => ({
  name: 'w',
  dtype: 'F32',
  shape,
  lowRank: { rank, u: { shape: u }, v: { shape: v } },
  ...rest
})

type Damage = [what: string, inputs: Input[], metadata: Record<string, string>, code: string, message: RegExp]

const one = vector(Float32Array.of(1, 2, 3))

const REFUSED: Damage[] = [
  ['metadata that is no JSON', [one], { tersor: '{' }, 'bad-header', /not JSON/],
  ['metadata that is no object', [one], { tersor: '[]' }, 'bad-header', /object/],
  ['a later version', [one], artefact([], { version: 2 }), 'unsupported-version', /version 2.*newer/],
  ['no version', [one], { tersor: '{"kind":"model"}' }, 'unsupported-version', /version undefined/],
  ['another kind', [one], artefact([], { kind: 'index' }), 'unsupported-version', /kind "index"/],
  ['no source', [one], artefact([], { source: null }), 'bad-header', /source format/],
  ['an unknown source', [one], artefact([], { source: { format: 'gguf' } }), 'bad-header', /source format/],
  ['no list of tensors', [one], artefact({}), 'bad-header', /list of tensors/],
  ['a tensor that is null', [one], artefact([null]), 'bad-header', /name and the dtype/],
  ['a tensor without a name', [one], artefact([{ ...dense([3]), name: 3 }]), 'bad-header', /name/],
  ['an unknown dtype', [one], artefact([{ ...dense([3]), dtype: 'F33' }]), 'bad-header', /dtype/],
  ['a dtype of whole numbers', [one], artefact([{ ...dense([3]), dtype: 'I32' }]), 'bad-header', /dtype/],
  ['a shape that is none', [one], artefact([{ ...dense([3]), shape: '3' }]), 'bad-header', /shape/],
  ['more elements than can be counted', [one], artefact([dense([2 ** 30, 2 ** 30])]), 'bad-header', /shape/],
  ['a negative length', [one], artefact([dense([-3])]), 'bad-header', /shape/],
  ['no encoding', [one], artefact([{ name: 'w', dtype: 'F32', shape: [3] }]), 'bad-header', /encoding/],
  ['another shape', [one], artefact([{ ...dense([3]), shape: [1, 3] }]), 'bad-header', /shape/],
  ['kept below 0', [one], artefact([dense([3], { kept: -1 })]), 'bad-header', /kept/],
  ['quantize of text', [one], artefact([dense([3], { quantize: 'int8' })]), 'bad-header', /quantize/],
  ['an unknown format', [one], artefact([dense([3], { quantize: { format: 'int9' } })]), 'bad-header', /quantize/],
  ['a format of Object', [one], artefact([dense([3], { quantize: { format: 'constructor' } })]), 'bad-header', /quant/],
  [
    'an option that is none',
    [vector(Int8Array.of(1)), scales(1)],
    artefact([dense([1], { quantize: { format: 'int8', zeroPoints: [7] } })]),
    'bad-header',
    /quantize/
  ],
  [
    'a group of 0',
    [vector(Int8Array.of(1)), scales(1)],
    artefact([dense([1], { quantize: { format: 'int8', group: 0 } })]),
    'bad-header',
    /quantize/
  ],
  [
    'an axis for a float',
    [{ ...vector(Uint16Array.of(1)), dtype: 'F16' }],
    artefact([dense([1], { quantize: { format: 'float16', axis: 0 } })]),
    'bad-header',
    /quantize/
  ],
  ['no array', [one], artefact([dense([3], {}, 'x')]), 'bad-header', /"x" lacks its array "x"/],
  ['no scales', [vector(Int8Array.of(1))], artefact([dense([1], int8)]), 'bad-header', /lacks its array "w:scales"/],
  [
    'no zero points',
    [vector(Uint8Array.of(1)), scales(1)],
    artefact([dense([1], { quantize: { format: 'uint8' } })]),
    'bad-header',
    /lacks its array "w:zeroPoints"/
  ],
  ['no mask', [one], artefact([dense([8], { kept: 3 })]), 'bad-header', /lacks its array "w:mask"/],
  ['no factor', factors([2, 1], [3, 1]).slice(1), artefact([ranked(1, [2, 1], [3, 1])]), 'bad-header', /"w:u"/],
  [
    'codes of another type',
    [vector(Uint8Array.of(1)), scales(1)],
    artefact([dense([1], int8)]),
    'bad-header',
    /expected I8 as the dtype of its array "w", got U8/
  ],
  [
    'patterns of another type',
    [{ ...vector(Uint16Array.of(1)), dtype: 'BF16' }],
    artefact([dense([1], { quantize: { format: 'float16' } })]),
    'bad-header',
    /expected F16 .*got BF16/
  ],
  [
    'scales of another type',
    [vector(Int8Array.of(1)), vector(BigInt64Array.of(1n), 'w:scales')],
    artefact([dense([1], int8)]),
    'bad-header',
    /expected F32 .*"w:scales", got I64/
  ],
  [
    'a mask of another type',
    [vector(Float32Array.of(1)), vector(Float64Array.of(1), 'w:mask')],
    artefact([dense([2], { kept: 1 })]),
    'bad-header',
    /expected U8 .*"w:mask", got F64/
  ],
  ['a rank that is none', factors([2, 1], [3, 1]), artefact([ranked('1', [2, 1], [3, 1])]), 'bad-header', /factors/],
  ['another rank', factors([2, 1], [3, 1]), artefact([ranked(2, [2, 1], [3, 1])]), 'bad-header', /factors.*"w"/],
  ['factors of another shape', factors([2, 1], [4, 1]), artefact([ranked(1, [2, 1], [4, 1])]), 'bad-header', /factors/],
  ['factors of one dimension', factors([2, 1], [3, 1]), artefact([ranked(1, [2], [3, 1])]), 'bad-header', /factors/],
  [
    'factors and an array',
    [one, ...factors([2, 1], [3, 1])],
    artefact([ranked(1, [2, 1], [3, 1], [2, 3], { dense: { shape: [2, 3] } })]),
    'bad-header',
    /factors/
  ],
  ['a name twice', [one], artefact([dense([3]), dense([3])]), 'duplicate-name', /"w"/],
  [
    'a part of two tensors',
    factors([2, 1], [3, 1]),
    artefact([ranked(1, [2, 1], [3, 1]), dense([2, 1], {}, 'w:u')]),
    'duplicate-name',
    /"w:u"/
  ],
  [
    'an array beside factors of its name',
    [one, ...factors([2, 1], [3, 1])],
    artefact([ranked(1, [2, 1], [3, 1])]),
    'duplicate-name',
    /"w"/
  ],
  [
    '.npy with two tensors',
    [one, vector(Float32Array.of(1), 'x')],
    artefact([], { source: { format: 'npy' } }),
    'bad-header',
    /one tensor/
  ]
]

const bits = (...bytes: number[]): Input => vector(Uint8Array.from(bytes), 'w:mask')

/** Of these the header says nothing wrong: the tensor is refused when it is read. */
const BROKEN: Damage[] = [
  ['too few numbers', [one], artefact([dense([4])]), 'bad-tensor', /expected 4/],
  ['too many numbers', [one], artefact([dense([2])]), 'bad-tensor', /expected 2/],
  [
    'another count of codes',
    [vector(new Int8Array(3)), scales(1)],
    artefact([dense([4], int8)]),
    'bad-tensor',
    /"codes" expected length 4/
  ],
  [
    'another count of packed codes',
    [vector(new Uint8Array(3)), scales(1)],
    artefact([dense([4], { quantize: { format: 'int4' } })]),
    'bad-tensor',
    /"codes" expected length 2/
  ],
  [
    'another count of patterns',
    [{ ...vector(new Uint16Array(3)), dtype: 'F16' }],
    artefact([dense([4], { quantize: { format: 'float16' } })]),
    'bad-tensor',
    /"codes" expected length 4/
  ],
  [
    'another count of scales',
    [vector(new Int8Array(4)), scales(1, 1)],
    artefact([dense([4], int8)]),
    'bad-tensor',
    /"scales" expected 1/
  ],
  [
    'another count of zero points',
    [vector(new Uint8Array(4)), scales(1), vector(new Uint8Array(2), 'w:zeroPoints')],
    artefact([dense([4], { quantize: { format: 'uint8' } })]),
    'bad-tensor',
    /"zeroPoints" expected 1/
  ],
  ...[0, -1, NaN, Infinity, 1e-40].map((scale): Damage => [
    `a scale of ${scale}`,
    [vector(new Int8Array(4)), scales(scale)],
    artefact([dense([4], int8)]),
    'bad-tensor',
    /"scales"/
  ]),
  [
    'a zero point beyond the format',
    [vector(new Uint8Array(2)), scales(1), vector(Uint8Array.of(16), 'w:zeroPoints')],
    artefact([dense([4], { quantize: { format: 'uint4' } })]),
    'bad-tensor',
    /"zeroPoints"/
  ],
  [
    'an axis that the shape lacks',
    [vector(new Int8Array(4)), scales(1)],
    artefact([dense([4], { quantize: { format: 'int8', axis: 1 } })]),
    'bad-tensor',
    /"axis"/
  ],
  ['a mask with fewer bits', [one, bits(0b11)], artefact([dense([8], { kept: 3 })]), 'bad-tensor', /mask/],
  ['a mask with more bits', [one, bits(0b1111)], artefact([dense([8], { kept: 3 })]), 'bad-tensor', /mask/],
  ['a mask with bits beyond', [one, bits(0b10000011)], artefact([dense([7], { kept: 3 })]), 'bad-tensor', /mask/],
  ['a longer mask', [one, bits(0b111, 0)], artefact([dense([8], { kept: 3 })]), 'bad-tensor', /mask/],
  ['a shorter mask', [one, bits(0b111)], artefact([dense([9], { kept: 3 })]), 'bad-tensor', /mask/],
  ['no mask at all', [one, bits()], artefact([dense([9], { kept: 0 })]), 'bad-tensor', /mask/],
  ['kept more than is there', [one, bits(0b1111)], artefact([dense([8], { kept: 4 })]), 'bad-tensor', /expected 4/],
  ['kept less than is there', [one, bits(0b11)], artefact([dense([8], { kept: 2 })]), 'bad-tensor', /expected 2/],
  [
    'packed codes that are not as many as kept',
    [vector(new Uint8Array(3)), scales(1), bits(0b1111)],
    artefact([dense([8], { kept: 4, quantize: { format: 'int4' } })]),
    'bad-tensor',
    /expected 4/
  ],
  [
    'factors that are not as large as they say',
    factors([2, 2], [3, 1]),
    artefact([ranked(1, [2, 1], [3, 1])]),
    'bad-tensor',
    /"w:u".*expected 2/
  ],
  [
    'more elements than memory holds',
    [vector(new Int8Array(4)), scales(1)],
    artefact([dense([2 ** 20, 2 ** 20], int8)]),
    'bad-tensor',
    /"w"/
  ]
]

describe('damaged files', () => {
  it.each(REFUSED)('refuses %s', async (_, tensors, metadata, code, message) => {
    const error = await rejection(openModel(encodeSafetensors(tensors, metadata)))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  it.each(BROKEN)('does not restore %s', async (_, tensors, metadata, code, message) => {
    const model = await openModel(encodeSafetensors(tensors, metadata))
    for (const use of [() => model.read('w'), () => decompressModel(model)]) {
      const error = await rejection(use())
      expect(error).toBeInstanceOf(FormatError)
      expect(error.code).toBe(code)
      expect(error.message).toMatch(message)
    }
  })

  it('restores what is written like them and not damaged', async () => {
    const q = (quantize: Record<string, unknown>, kept?: number) => ({
      quantize,
      ...(kept === undefined ? {} : { kept })
    })
    const cases: [Input[], Record<string, string>, number[]][] = [
      [[one], artefact([dense([3])]), [1, 2, 3]],
      [[vector(Int8Array.of(-4, 127)), scales(0.5)], artefact([dense([2], int8)]), [-2, 63.5]],
      [[vector(Int8Array.of(-4, 3)), scales(0.5, 2)], artefact([dense([2], q({ format: 'int8', axis: 0 }))]), [-2, 6]],
      [
        [vector(Uint8Array.of(10, 3)), scales(2), vector(Uint8Array.of(5), 'w:zeroPoints')],
        artefact([dense([2], q({ format: 'uint8', symmetric: false }))]),
        [10, -4]
      ],
      [[vector(Uint8Array.of(0xf1, 0x08)), scales(1)], artefact([dense([3], q({ format: 'int4' }))]), [1, -1, -8]],
      [
        [{ ...vector(Uint16Array.of(0x3c00, 0xc000)), dtype: 'F16' }],
        artefact([dense([2], q({ format: 'float16' }))]),
        [1, -2]
      ],
      [
        [{ ...vector(Uint16Array.of(0x3f80, 0xc000)), dtype: 'BF16' }],
        artefact([dense([2], q({ format: 'bfloat16' }))]),
        [1, -2]
      ],
      [[one, bits(0b01010001, 0)], artefact([dense([9], { kept: 3 })]), [1, 0, 0, 0, 2, 0, 3, 0, 0]],
      [
        [vector(Uint8Array.of(0x21, 0x03)), scales(2), bits(0b11001)],
        artefact([dense([5], q({ format: 'int4' }, 3))]),
        [2, 0, 0, 4, 6]
      ],
      [
        [
          { name: 'w:u', shape: [2, 1], data: Float32Array.of(1, 2) },
          { name: 'w:v', shape: [3, 1], data: Float32Array.of(3, 4, 5) }
        ],
        artefact([ranked(1, [2, 1], [3, 1])]),
        [3, 4, 5, 6, 8, 10]
      ]
    ]
    for (const [tensors, metadata, values] of cases) {
      const model = await openModel(encodeSafetensors(tensors, metadata))
      expect([...((await model.read('w')).data as Float32Array)]).toEqual(values)
    }
  })

  it('never crashes on a file with changed text in its metadata', async () => {
    const file = await compressed({
      lowRank: { rank: 2 },
      prune: { sparsity: 0.5 },
      quantize: { format: 'uint4', group: 3, symmetric: false }
    })
    const changes = [
      [/"rank\\":2/, '"rank\\":3'],
      [/\\"kept\\":\d+/, '\\"kept\\":1'],
      [/uint4/, 'int4'],
      [/uint4/, 'uint8'],
      [/\\"group\\":3/, '\\"group\\":1'],
      [/\\"group\\":3,/, ''],
      [/\\"symmetric\\":false/, '\\"symmetric\\":true'],
      [/\\"symmetric\\":false/, '\\"symmetric\\":null'],
      [/\\"shape\\":\[6,8\]/, '\\"shape\\":[8,7]'],
      [/\\"version\\":1/, '\\"version\\":\\"1\\"'],
      [/"fc.weight:u:mask"/, '"fc.weight:u:musk"'],
      [/"fc.weight:v:scales"/, '"fc.weight"']
    ] as const
    let refused = 0
    for (const [pattern, replacement] of changes) {
      const damaged = withHeader(file, (json) => {
        expect(json).toMatch(pattern)
        return json.replace(pattern, replacement)
      })
      try {
        const model = await openModel(damaged)
        for (const { name } of model.tensors) await model.read(name)
      } catch (error) {
        expect(error, String(replacement)).toBeInstanceOf(FormatError)
        refused++
      }
    }
    // Only "symmetric", which decoding does not need where zero points are given, makes a file that is right again.
    expect(refused).toBe(changes.length - 1)
  })
})

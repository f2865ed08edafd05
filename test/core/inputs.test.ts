import { describe, expect, it } from 'vitest'
import {
  applyMask,
  cholesky,
  compare,
  crossEntropy,
  dequantize,
  distillationLoss,
  fakeQuantize,
  klDivergence,
  logSoftmax,
  lowRank,
  lowRankPlan,
  procrustes,
  matmul,
  prune,
  qr,
  quantize,
  reconstruct,
  ridge,
  softmax,
  solveTriangular,
  svd
} from '../../src/index.js'
import type { TensorLike } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { LARGE_CUTS, nameOf, quantizedIntegers, SMALL_CUTS } from '../support/quantize.js'
import { index, normals, seeded } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'

interface Verb {
  verb: string
  /** of the argument that `run` fills in */
  name: string
  run: (tensor: TensorLike) => unknown
  matrix?: boolean
  /** -Infinity is a masked class */
  masks?: boolean
}

const sizeOfTensor = (tensor: TensorLike): number => {
  const { data = tensor, shape, dims } = tensor as { data?: Float32Array; shape?: number[]; dims?: number[] }
  return shape || dims ? sizeOf(shape ?? dims ?? []) : (data as Float32Array).length
}

const shapeOf = (tensor: TensorLike): number[] => (tensor as { shape?: number[] }).shape ?? [sizeOfTensor(tensor)]

/** A good tensor of the same shape. */
const like = (tensor: TensorLike): TensorLike => {
  const shape = shapeOf(tensor)
  return { data: new Float32Array(sizeOf(shape)), shape }
}

const rowsOf = (tensor: TensorLike): number[] => {
  const shape = shapeOf(tensor)
  return new Array<number>(sizeOf(shape) / (shape[shape.length - 1] || 1)).fill(0)
}

const READERS: readonly Verb[] = [
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'int8' }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'uint4', symmetric: false }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'int4', group: 3 }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'float16' }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'bfloat16' }) },
  { verb: 'fakeQuantize', name: 'tensor', run: (tensor) => fakeQuantize(tensor, { format: 'uint8' }) },
  { verb: 'fakeQuantize', name: 'tensor', run: (tensor) => fakeQuantize(tensor, { format: 'float16' }) },
  { verb: 'fakeQuantize', name: 'tensor', run: (tensor) => fakeQuantize(tensor, { format: 'bfloat16' }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { sparsity: 0.5 }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { sparsity: 0 }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { pattern: '2:4' }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { pattern: '1:3' }) },
  { verb: 'compare', name: 'reference', run: (tensor) => compare(tensor, like(tensor)) },
  { verb: 'compare', name: 'other', run: (tensor) => compare(like(tensor), tensor) },
  {
    verb: 'matmul',
    name: 'a',
    run: (tensor) => matmul(tensor, like(tensor), { transposeB: true }),
    matrix: true
  },
  {
    verb: 'matmul',
    name: 'b',
    run: (tensor) => matmul(like(tensor), tensor, { transposeB: true }),
    matrix: true
  },
  { verb: 'svd', name: 'matrix', run: svd, matrix: true },
  { verb: 'qr', name: 'matrix', run: (tensor) => qr(tensor), matrix: true },
  { verb: 'qr', name: 'matrix', run: (tensor) => qr(tensor, { pivot: true }), matrix: true },
  { verb: 'procrustes', name: 'a', run: (tensor) => procrustes(tensor, like(tensor)), matrix: true },
  { verb: 'ridge', name: 'x', run: (tensor) => ridge(tensor, like(tensor), { lambda: 1 }), matrix: true },
  { verb: 'lowRank', name: 'matrix', run: (tensor) => lowRank(tensor, { rank: 1 }), matrix: true },
  {
    verb: 'lowRank',
    name: 'matrix',
    run: (tensor) => lowRank(tensor, { rank: 1, quantize: 'int8', residual: 'int4' }),
    matrix: true
  },
  { verb: 'lowRankPlan', name: 'tensor', run: (tensor) => lowRankPlan({ tensor }, { bytes: 1e9 }), matrix: true },
  {
    verb: 'reconstruct',
    name: 'u',
    run: (tensor) => reconstruct({ u: tensor, v: like(tensor) }),
    matrix: true
  },
  { verb: 'softmax', name: 'logits', run: (tensor) => softmax(tensor), masks: true },
  { verb: 'logSoftmax', name: 'logits', run: (tensor) => logSoftmax(tensor), masks: true },
  {
    verb: 'klDivergence',
    name: 'student',
    run: (tensor) => klDivergence(tensor, { teacher: like(tensor) }),
    masks: true
  },
  {
    verb: 'klDivergence',
    name: 'teacher',
    run: (tensor) => klDivergence(like(tensor), { teacher: tensor }),
    masks: true
  },
  {
    verb: 'crossEntropy',
    name: 'logits',
    run: (tensor) => crossEntropy(tensor, { labels: rowsOf(tensor) }),
    masks: true
  },
  {
    verb: 'distillationLoss',
    name: 'student',
    run: (tensor) => distillationLoss(tensor, { teacher: like(tensor), labels: rowsOf(tensor) }),
    masks: true
  },
  {
    verb: 'distillationLoss',
    name: 'teacher',
    run: (tensor) => distillationLoss(like(tensor), { teacher: tensor, labels: rowsOf(tensor) }),
    masks: true
  }
]

/** Those whose arguments are read before anything else depends on their shape. */
const FIRST = [
  ...new Map(
    READERS.filter(({ name }) => !['other', 'teacher'].includes(name)).map((item) => [item.verb, item])
  ).values()
]

/** The same verbs with a good second argument of two elements, so that what is wrong is the tensor. */
const CALLS: Readonly<Record<string, (tensor: unknown) => unknown>> = {
  ...Object.fromEntries(FIRST.map(({ verb, run }) => [verb, (tensor: unknown) => run(tensor as TensorLike)])),
  applyMask: (tensor) => applyMask(wrong(tensor), { bits: Uint8Array.of(1), shape: [2] }),
  compare: (tensor) => compare(wrong(tensor), [1, 2]),
  matmul: (tensor) => matmul(wrong(tensor), [[1], [2]]),
  reconstruct: (tensor) => reconstruct({ u: wrong(tensor), v: [[1, 2]] }),
  procrustes: (tensor) => procrustes(wrong(tensor), [[1, 2]]),
  ridge: (tensor) => ridge(wrong(tensor), [1]),
  klDivergence: (tensor) => klDivergence(wrong(tensor), { teacher: [1, 2] }),
  crossEntropy: (tensor) => crossEntropy(wrong(tensor), { labels: [0] }),
  distillationLoss: (tensor) => distillationLoss(wrong(tensor), { teacher: [1, 2], labels: [0] })
}

describe.each(Object.entries(CALLS))('%s', (verb, call) => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a string', 'abc'],
    ['a number', 5],
    ['a boolean', true],
    ['a function', () => 1]
  ])('%s is no tensor', (_, value) => {
    expectError(() => call(value), TypeError, new RegExp(`^${verb}: "\\w+" expected a tensor`), ', got ')
  })

  it.each([
    ['a DataView', new DataView(new ArrayBuffer(8))],
    ['a BigInt64Array', new BigInt64Array(2)],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['a string of data', { data: 'abc', shape: [3] }],
    ['no data', { data: null, shape: [3] }],
    ['undefined data', { data: undefined }],
    ['64-bit data', { data: new BigInt64Array(2), shape: [2] }]
  ])('%s holds no numbers', (_, value) => {
    expectError(() => call(value), TypeError, new RegExp(`^${verb}: "\\w+"(\\.data)? expected a t`))
  })

  it('a length that is not that of the shape', () => {
    expectError(
      () => call({ data: new Float32Array(3), shape: [2, 2] }),
      RangeError,
      new RegExp(`^${verb}: "\\w+" expected length 4 \\(2x2\\), got 3`)
    )
    expectError(() => call({ data: new Float32Array(5), dims: [] }), RangeError, `${verb}: `, 'length 1', 'got 5')
    expectError(() => call({ data: [1, 2, 3], shape: [2] }), RangeError, `${verb}: `, 'length 2', 'got 3')
  })

  it.each([
    ['negative', [-1, -2]],
    ['a fraction', [1.5, 2]],
    ['NaN', [NaN]],
    ['a string', '2'],
    ['of strings', ['2']],
    ['a number', 2]
  ])('a shape that is %s', (_, shape) => {
    const run = (): unknown => call({ data: new Float32Array(2), shape })
    expectError(run, TypeError, new RegExp(`^${verb}: "\\w+"\\.shape expected a shape of whole numbers, got`))
  })

  it('ragged nested arrays', () => {
    expectError(() => call([[1, 2], [3]]), RangeError, `${verb}: `, 'expected arrays of 2', 'got one of 1')
    expectError(() => call([[1, 2], 3]), RangeError, `${verb}: `, 'expected arrays of 2', 'got 3')
    expectError(
      () =>
        call([
          [[1], [2]],
          [[3], [4, 5]]
        ]),
      RangeError,
      `${verb}: `,
      'expected arrays of 1 at depth 2'
    )
    expectError(() => call([1, [2]]), TypeError, `${verb}: `, 'expected numbers', 'index 1')
    expectError(() => call([1, 'x']), TypeError, `${verb}: `, 'expected numbers', '"x"', 'index 1')
    expectError(
      () =>
        call([
          [1, 2],
          [3, null]
        ]),
      TypeError,
      `${verb}: `,
      'expected numbers',
      'null',
      'index 3'
    )
  })
})

describe('not a number', () => {
  const BAD = [NaN, Infinity, -Infinity]

  const cases = READERS.map((reader, i) => ({ ...reader, i }))

  it.each(cases)('$verb "$name" names the first index ($i)', ({ verb, name, run, matrix, masks }) => {
    const shapes = matrix
      ? [
          [1, 1],
          [5, 7],
          [7, 5],
          [300, 2],
          [2, 40000]
        ]
      : [[1], [3], [17], [33], [3, 11], [5, 8, 13], [70001], [70, 1000], [2, 40000]]
    const random = seeded(4)
    for (const shape of shapes) {
      const size = sizeOf(shape)
      const good = normals(size, 5)
      for (const bad of masks ? BAD.slice(0, 2) : BAD) {
        for (const at of new Set([0, size - 1, index(random, size), index(random, size)])) {
          const data = good.slice()
          data[at] = bad
          // A later one is not the first.
          data[at + index(random, size - at)] = bad
          const message = new RegExp(`^${verb}: "${name}" expected .*, got ${bad} at index ${at}\\b`)
          expectError(() => run({ data, shape }), RangeError, message)
        }
      }
    }
  })

  it.each(cases)('$verb "$name" in bit patterns ($i)', ({ verb, name, run, matrix }) => {
    const shape = matrix ? [5, 8] : [40]
    for (const [type, bits] of [
      ['float16', 0x7e01],
      ['float16', 0x7c00],
      ['bfloat16', 0x7fc1],
      ['bfloat16', 0x7f80]
    ] as const) {
      const data = new Uint16Array(40).fill(0x3c00)
      data[23] = data[31] = bits
      expectError(() => run({ data, shape, type } as TensorLike), RangeError, `${verb}: "${name}"`, /at index 23\b/)
    }
  })

  const LAYOUTS = [
    ...LARGE_CUTS.filter((_, i) => i % 2 === 0),
    ...SMALL_CUTS.filter(({ shape }, i) => i % 5 === 0 && sizeOf(shape) > 0)
  ]

  it('in every layout of quantisation', () => {
    const random = seeded(6)
    for (const [i, { shape, axis, group }] of LAYOUTS.entries()) {
      const size = sizeOf(shape)
      const data = new Float32Array(size).fill(1)
      const at = index(random, size)
      const later = at + index(random, size - at)
      const bad = BAD[i % 3]
      data[later] = bad
      data[at] = bad
      const format = i % 2 ? 'int8' : 'uint4'
      for (const [verb, run] of [
        ['quantize', quantize],
        ['fakeQuantize', fakeQuantize]
      ] as const) {
        const where = `${verb}: "tensor" expected finite numbers, got ${bad} at index ${at};`
        expectError(() => run({ data, shape }, { format, axis, group, symmetric: i % 4 < 2 }), RangeError, where)
      }
    }
  })

  it('NaN with scales of the caller, where infinities pass', () => {
    const random = seeded(7)
    for (const { shape, axis, group } of LAYOUTS) {
      const size = sizeOf(shape)
      if (size < 2) continue
      const data = new Float32Array(size).fill(1)
      const at = 1 + index(random, size - 1)
      data[at] = NaN
      data[index(random, at)] = Infinity
      const { scales } = quantizedIntegers(new Float32Array(size), shape, { format: 'int8', axis, group })
      for (const [verb, run] of [
        ['quantize', quantize],
        ['fakeQuantize', fakeQuantize]
      ] as const) {
        const call = (): unknown => run({ data, shape }, { format: 'int8', axis, group, scales })
        expectError(call, RangeError, `${verb}: "tensor"`, `got NaN at index ${at};`)
      }
    }
    expect(nameOf(LAYOUTS[0])).toBe('shape [100003]')
  })

  it('in either side of a comparison with bit patterns', () => {
    const good = new Uint16Array(5).fill(0x3c00)
    const bad = Uint16Array.of(0x3c00, 0x3c00, 0x3c00, 0x7c00, 0x7e00)
    const halves = (data: Uint16Array): TensorLike => ({ data, shape: [5], dtype: 'float16' })
    const numbers = Float32Array.of(1, 2, NaN, 4, 5)
    expectError(() => compare(halves(good), numbers), RangeError, 'compare: "other"', 'got NaN at index 2')
    expectError(() => compare(halves(good), halves(bad)), RangeError, 'compare: "other"', 'got Infinity at index 3')
    expectError(() => compare(halves(bad), halves(good)), RangeError, 'compare: "reference"', 'index 3')
    expectError(() => compare(numbers, halves(bad)), RangeError, 'compare: "reference"', 'index 2')
  })

  it('f64 beyond f32, where f32 is what is worked on', () => {
    const data = Float64Array.of(1, 2, 1e39, -1e300)
    for (const { verb, name, run, masks } of READERS.filter(({ matrix }) => !matrix)) {
      if (masks) continue
      expectError(() => run(data), RangeError, `${verb}: "${name}"`, 'float32', 'got 1e+39 at index 2')
    }
    for (const { verb, name, run } of READERS.filter(({ masks }) => masks)) {
      expectError(() => run(data), RangeError, `${verb}: "${name}"`, 'at index 2')
    }
    expect(svd({ data, shape: [2, 2] }).s.data[0]).toBeCloseTo(1e300, -290)
    // The greatest f64 that rounds to a finite f32 is fine.
    const last = (2 - 2 ** -24) * 2 ** 127 * (1 - 2 ** -53)
    expect(quantize(Float64Array.of(last), { format: 'int8' }).codes).toEqual(Int8Array.of(127))
    expectError(() => quantize(Float64Array.of((2 - 2 ** -24) * 2 ** 127), { format: 'int8' }), RangeError, 'index 0')
  })

  it('names the tensor among many', () => {
    const good = new Float32Array(5)
    const bad = Float32Array.of(0, 1, NaN)
    for (const scope of ['layer', 'global'] as const) {
      for (const sparsity of [0, 0.5, 1]) {
        expectError(() => prune([good, bad], { sparsity, scope }), RangeError, 'tensors[1]', 'index 2')
        expectError(() => prune({ a: good, b: bad }, { sparsity, scope }), RangeError, 'prune: "b"', 'index 2')
      }
    }
    expectError(() => prune({ a: good, b: bad }, { pattern: '2:4' }), RangeError, 'prune: "b"', 'index 2')
    expectError(() => prune([good, wrong('x')], { sparsity: 0.5 }), TypeError, 'prune: "tensors[1]" expected a tensor')
    expectError(() => prune({ a: good, b: wrong(3) }, { sparsity: 0.5 }), TypeError, 'prune: "b" expected a tensor')
    const long = new Float32Array(1_200_000).fill(1)
    long[1_100_000] = Infinity
    expectError(
      () => prune([good, long], { sparsity: 0.5, scope: 'global' }),
      RangeError,
      /tensors\[1\].*index 1100000\b/
    )
  })

  it('a row with every class masked', () => {
    const masked = [
      [0, 1],
      [-Infinity, -Infinity]
    ]
    for (const { verb, name, run } of READERS.filter(({ masks }) => masks)) {
      const shape = [2, 2]
      const call = (): unknown => run({ data: Float32Array.from(masked.flat()), shape })
      expectError(call, RangeError, `${verb}: "${name}"`, /row 1 is all -Infinity/)
    }
    const many = { data: new Float32Array(3000).fill(-1), shape: [1000, 3] }
    many.data.fill(-Infinity, 3 * 777, 3 * 778)
    expectError(() => softmax(many), RangeError, 'row 777 ')
  })
})

describe('options', () => {
  const x = [1, 2, 3, 4]
  const q = quantizedIntegers(Float32Array.from(x), [4], { format: 'uint8' })
  const mask = { bits: Uint8Array.of(1), shape: [4] }
  const kl = { teacher: x }
  const ce = { labels: [0] }
  const full = { teacher: x, labels: [0] }

  it.each([
    ['quantize', (o: object) => quantize(x, wrong({ format: 'int8', ...o })), ['axis', 'group', 'symmetric', 'scales']],
    ['fakeQuantize', (o: object) => fakeQuantize(x, wrong({ format: 'int8', ...o })), ['axis', 'zeroPoints']],
    ['dequantize', (o: object) => dequantize(wrong({ ...q, ...o })), ['codes', 'scales', 'shape', 'zeroPoints']],
    ['prune', (o: object) => prune(x, wrong({ sparsity: 0.5, ...o })), ['sparsity', 'pattern', 'scope']],
    ['softmax', (o: object) => softmax(x, wrong(o)), ['temperature']],
    ['logSoftmax', (o: object) => logSoftmax(x, wrong(o)), ['temperature']],
    [
      'klDivergence',
      (o: object) => klDivergence(x, wrong({ ...kl, ...o })),
      ['teacher', 'temperature', 'temperatureSquared']
    ],
    ['crossEntropy', (o: object) => crossEntropy(x, wrong({ ...ce, ...o })), ['labels', 'reduction', 'out']],
    [
      'distillationLoss',
      (o: object) => distillationLoss(x, wrong({ ...full, ...o })),
      ['alpha', 'labels', 'temperature']
    ],
    [
      'lowRank',
      (o: object) => lowRank([x], wrong({ rank: 1, ...o })),
      ['rank', 'energy', 'maxRelativeError', 'residual']
    ],
    ['lowRankPlan', (o: object) => lowRankPlan([[x]], wrong({ bytes: 100, ...o })), ['bytes', 'quantize', 'weights']],
    ['qr', (o: object) => qr([x], wrong(o)), ['pivot']],
    ['cholesky', (o: object) => cholesky([[1]], wrong(o)), ['pivot', 'tolerance']],
    ['solveTriangular', (o: object) => solveTriangular([[1]], [1], wrong(o)), ['upper', 'transpose', 'unitDiagonal']],
    ['ridge', (o: object) => ridge([[1], [2]], [1, 2], wrong(o)), ['lambda', 'intercept', 'sampleWeights']],
    ['procrustes', (o: object) => procrustes([x], [x], wrong(o)), ['scale', 'center', 'rotationOnly']]
  ] as const)('%s: an unknown option is named, with the known ones', (verb, call, known) => {
    expectError(() => call({ formt: 1 }), TypeError, `${verb}: unknown option "formt"`, ...known)
    expectError(() => call({ Temperature: 1 }), TypeError, `${verb}: unknown option "Temperature"`, ...known)
    expect(() => call({})).not.toThrow()
  })

  it.each([
    ['quantize', (o: unknown) => quantize(x, wrong(o))],
    ['fakeQuantize', (o: unknown) => fakeQuantize(x, wrong(o))],
    ['prune', (o: unknown) => prune(x, wrong(o))],
    ['softmax', (o: unknown) => softmax(x, wrong(o === undefined ? null : o))],
    ['klDivergence', (o: unknown) => klDivergence(x, wrong(o))],
    ['crossEntropy', (o: unknown) => crossEntropy(x, wrong(o))],
    ['distillationLoss', (o: unknown) => distillationLoss(x, wrong(o))],
    ['dequantize', (o: unknown) => dequantize(wrong(o))],
    ['lowRank', (o: unknown) => lowRank([x], wrong(o))]
  ] as const)('%s: no options', (verb, call) => {
    for (const value of [undefined, null, 'int8', 5, true]) {
      expectError(() => call(value), TypeError, `${verb}: `, /expected an object with /)
    }
  })

  describe.each([
    ['quantize', quantize],
    ['fakeQuantize', fakeQuantize]
  ] as const)('%s', (verb, run) => {
    const call =
      (options: object, tensor: TensorLike = [x, x]) =>
      (): unknown =>
        run(tensor, wrong({ format: 'int8', ...options }))

    it('format', () => {
      const formats = ['int8', 'uint8', 'int4', 'uint4', 'float16', 'bfloat16']
      for (const [format, shown] of [
        ['int3', '"int3"'],
        ['INT8', '"INT8"'],
        [8, '8'],
        [undefined, 'undefined'],
        [null, 'null']
      ]) {
        expectError(call({ format }), TypeError, `${verb}: "format"`, `got ${shown}`, ...formats)
      }
    })

    it('group', () => {
      for (const group of [0, 1.5, -1, NaN, Infinity]) {
        const message = `${verb}: "group" expected a whole number of at least 1, got ${group}`
        expectError(call({ group }), RangeError, message)
      }
      for (const group of ['4', null, true]) expectError(call({ group }), TypeError, `${verb}: "group" expected`)
    })

    it('axis', () => {
      for (const axis of [2, -3, 0.5, NaN, Infinity]) {
        expectError(call({ axis }), RangeError, `${verb}: "axis" expected a whole number from -2 to 1, got ${axis}`)
      }
      expectError(call({ axis: '0' }), TypeError, `${verb}: "axis" expected`, '"0"')
      expectError(call({ axis: 0 }, { data: Float32Array.of(1), shape: [] }), RangeError, `${verb}: "axis"`, 'scalar')
      expectError(call({ axis: 1 }, x), RangeError, `${verb}: "axis"`, 'got 1')
    })

    it('symmetric', () => {
      for (const symmetric of ['yes', 1, 0, null]) {
        expectError(call({ symmetric }), TypeError, `${verb}: "symmetric" expected true or false`)
      }
    })

    it('scales', () => {
      for (const scale of [0, -1, 2 ** -127, NaN, Infinity, 1e39]) {
        expectError(call({ scales: [1, scale], axis: 0 }), RangeError, `${verb}: "scales"`, `got ${scale} at index 1`)
      }
      expectError(call({ scales: [1, 1] }), RangeError, `${verb}: "scales" expected 1 numbers`, 'got 2')
      expectError(call({ scales: [], axis: 0 }), RangeError, `${verb}: "scales" expected 2 numbers`, 'got 0')
      expectError(call({ scales: [1, 1, 1], group: 3 }), RangeError, `${verb}: "scales" expected 4 numbers`, 'got 3')
      for (const scales of ['1', 1, null]) {
        expectError(call({ scales }), TypeError, `${verb}: "scales" expected an array`)
      }
      expect(call({ scales: [2 ** -126] })).not.toThrow()
    })

    it('zeroPoints', () => {
      const given = { scales: [1], symmetric: false }
      for (const zero of [-129, 128, 0.5, NaN, Infinity]) {
        const message = `"zeroPoints" expected whole numbers from -128 to 127, got ${zero} at index 0`
        expectError(call({ ...given, zeroPoints: [zero] }), RangeError, `${verb}: ${message}`)
      }
      const unsigned = { ...given, format: 'uint4' }
      for (const zero of [-1, 16]) {
        expectError(call({ ...unsigned, zeroPoints: [zero] }), RangeError, 'from 0 to 15', `got ${zero}`)
      }
      expectError(call({ ...given, zeroPoints: [1, 2] }), RangeError, `${verb}: "zeroPoints" expected 1 numbers`)
      expectError(call({ ...given, zeroPoints: 3 }), TypeError, `${verb}: "zeroPoints" expected an array`)
      expectError(call(given), TypeError, `${verb}: "scales" with symmetric: false need "zeroPoints"`)
      expectError(call({ zeroPoints: [0] }), TypeError, `${verb}: "zeroPoints" go with "scales"`)
      expectError(call({ zeroPoints: [0], scales: [1] }), TypeError, `${verb}: "zeroPoints" go with "scales"`)
      expectError(call({ zeroPoints: [0], symmetric: false }), TypeError, `${verb}: "zeroPoints" go with "scales"`)
    })

    it.each(['float16', 'bfloat16'])('%s takes nothing else', (format) => {
      for (const [name, value] of [
        ['axis', 0],
        ['group', 4],
        ['symmetric', true],
        ['scales', [1]]
      ] as const) {
        expectError(call({ format, [name]: value }), TypeError, `${verb}: "${name}" does not apply to ${format}`)
      }
      expectError(call({ format, zeroPoints: [0] }), TypeError, `${verb}: "zeroPoints"`)
    })
  })

  describe('dequantize', () => {
    const call = (changes: object) => (): unknown => dequantize(wrong({ ...q, ...changes }))
    const nibbles = quantizedIntegers(Float32Array.from(x), [4], { format: 'int4' })

    it('format and shape', () => {
      expectError(call({ format: 'int3' }), TypeError, 'dequantize: "format"', '"int3"', 'uint4')
      for (const shape of ['4', undefined, [-4], [1.5], 4]) {
        expectError(call({ shape }), TypeError, 'dequantize: "shape" expected an array of whole numbers')
      }
    })

    it('codes', () => {
      expectError(call({ codes: new Int8Array(4) }), TypeError, 'dequantize: "codes" expected a Uint8Array')
      expectError(call({ codes: [1, 2, 3, 4] }), TypeError, 'dequantize: "codes" expected a Uint8Array')
      expectError(call({ codes: undefined }), TypeError, 'dequantize: "codes" expected a Uint8Array')
      expectError(call({ codes: new Uint8Array(5) }), RangeError, 'dequantize: "codes" expected length 4', 'got 5')
      expectError(call({ shape: [5] }), RangeError, 'dequantize: "codes" expected length 5', 'got 4')
      const packed = (codes: Uint8Array) => (): unknown => dequantize(wrong({ ...nibbles, codes }))
      expectError(packed(new Uint8Array(4)), RangeError, 'dequantize: "codes" expected length 2', 'got 4')
      expectError(packed(new Uint8Array(1)), RangeError, 'dequantize: "codes" expected length 2', 'got 1')
      const half = { format: 'float16', shape: [2] }
      expectError(() => dequantize(wrong({ ...half, codes: new Uint8Array(2) })), TypeError, 'Uint16Array')
      expectError(() => dequantize(wrong({ ...half, codes: new Uint16Array(3) })), RangeError, 'length 2', 'got 3')
    })

    it('scales and zero points', () => {
      expectError(call({ scales: undefined }), TypeError, 'dequantize: "scales" expected an array')
      expectError(call({ scales: Float32Array.of(1, 1) }), RangeError, 'dequantize: "scales" expected 1 numbers')
      expectError(call({ scales: Float32Array.of(0) }), RangeError, 'dequantize: "scales"', 'index 0')
      expectError(call({ scales: Float32Array.of(NaN) }), RangeError, 'dequantize: "scales"', 'index 0')
      expectError(call({ zeroPoints: undefined }), TypeError, 'dequantize: "zeroPoints" are missing', 'uint8')
      expectError(call({ zeroPoints: Uint8Array.of(1, 1) }), RangeError, 'dequantize: "zeroPoints" expected 1')
      expectError(call({ zeroPoints: [256] }), RangeError, 'dequantize: "zeroPoints"', 'got 256')
      const asymmetric = { ...nibbles, symmetric: false }
      expectError(() => dequantize(wrong(asymmetric)), TypeError, 'dequantize: "zeroPoints" are missing', 'int4')
      expectError(call({ symmetric: undefined }), TypeError, 'dequantize: "symmetric" expected true or false')
    })

    it('axis and group', () => {
      expectError(call({ axis: 1 }), RangeError, 'dequantize: "axis"', 'got 1')
      expectError(call({ group: 0 }), RangeError, 'dequantize: "group"', 'got 0')
      expectError(call({ group: 2 }), RangeError, 'dequantize: "scales" expected 2 numbers', 'got 1')
    })
  })

  describe('out', () => {
    it('quantize', () => {
      const call = (format: 'int8' | 'uint4' | 'float16', out: unknown) => (): unknown =>
        quantize(x, { format, out: wrong(out) })
      for (const out of [null, 'x', 5]) {
        expectError(call('int8', out), TypeError, 'quantize: "out" expected an earlier result')
      }
      expectError(
        call('int8', { codes: new Uint8Array(4) }),
        TypeError,
        'quantize: "out.codes" expected a Int8Array(4)'
      )
      expectError(call('int8', { codes: new Int8Array(5) }), RangeError, 'quantize: "out.codes" expected length 4')
      expectError(call('uint4', { codes: new Uint8Array(4) }), RangeError, 'quantize: "out.codes" expected length 2')
      expectError(call('float16', { codes: new Uint8Array(4) }), TypeError, 'quantize: "out.codes"', 'Uint16Array')
      expectError(call('int8', { scales: new Float32Array(2) }), RangeError, 'quantize: "out.scales" expected length 1')
      expectError(call('int8', { scales: [1] }), TypeError, 'quantize: "out.scales" expected a Float32Array(1)')
      expectError(
        call('uint4', { zeroPoints: new Int8Array(1) }),
        TypeError,
        'quantize: "out.zeroPoints"',
        'Uint8Array'
      )
    })

    it('fakeQuantize has none', () => {
      const call = (): unknown => fakeQuantize(x, wrong({ format: 'int8', out: q }))
      expectError(call, TypeError, 'fakeQuantize: unknown option "out"')
    })

    it('dequantize and the losses', () => {
      for (const [verb, call] of [
        ['dequantize', (out: unknown) => dequantize(q, { out: wrong(out) })],
        ['klDivergence', (out: unknown) => klDivergence(x, { ...kl, out: wrong(out) })],
        ['crossEntropy', (out: unknown) => crossEntropy(x, { ...ce, out: wrong(out) })],
        ['distillationLoss', (out: unknown) => distillationLoss(x, { ...full, out: wrong(out) })]
      ] as const) {
        expectError(() => call(new Float64Array(4)), TypeError, `${verb}: "out" expected a Float32Array(4)`)
        expectError(() => call([0, 0, 0, 0]), TypeError, `${verb}: "out" expected a Float32Array(4)`)
        expectError(() => call(new Float32Array(5)), RangeError, `${verb}: "out" expected length 4, got 5`)
      }
      expectError(() => dequantize(q, wrong({ into: 1 })), TypeError, 'dequantize: unknown option "into"', 'out')
    })
  })

  describe('prune', () => {
    const call = (options: object) => (): unknown => prune(x, wrong(options))

    it('sparsity', () => {
      for (const sparsity of [-0.1, 1.1, NaN, Infinity, -Infinity, 1 + 2 ** -52]) {
        const message = `prune: "sparsity" expected a number in [0, 1], got ${sparsity}`
        expectError(call({ sparsity }), RangeError, message)
      }
      for (const sparsity of ['0.5', null, true]) {
        expectError(call({ sparsity }), TypeError, 'prune: "sparsity" expected a number')
      }
    })

    it('one of sparsity and pattern', () => {
      const message = 'prune: expected either "sparsity" or "pattern", got '
      expectError(call({}), TypeError, `${message}neither`)
      expectError(call({ sparsity: undefined }), TypeError, `${message}neither`)
      expectError(call({ sparsity: 0.5, pattern: '2:4' }), TypeError, `${message}both`)
      expectError(call({ sparsity: 0, pattern: '2:4' }), TypeError, `${message}both`)
    })

    it.each(['4:2', '2-4', '0:4', '2:2', '-1:4', '1.5:4', ' 2:4', '2:4 ', '2:4:8', '1:1025', '0:0', '', 'a:b', ':4'])(
      'pattern %o',
      (pattern) => {
        expectError(call({ pattern }), RangeError, `prune: "pattern" expected 'N:M'`, `got "${pattern}"`)
      }
    )

    it('pattern that is no string', () => {
      for (const pattern of [24, null, ['2:4'], [2, 4]]) {
        expectError(call({ pattern }), RangeError, `prune: "pattern" expected 'N:M'`)
      }
    })

    it('scope', () => {
      for (const scope of ['all', 'Layer', 1, null]) {
        expectError(call({ sparsity: 0.5, scope }), TypeError, 'prune: "scope" expected one of layer, global')
      }
      expectError(call({ pattern: '2:4', scope: 'global' }), TypeError, 'prune: scope', 'global', 'pattern')
    })
  })

  describe('applyMask', () => {
    const call = (mask: unknown) => (): unknown => applyMask(x, wrong(mask))

    it('something that is no mask', () => {
      for (const value of [null, undefined, 'x', 1, {}, { bits: [1], shape: [4] }, { bits: mask.bits }, mask.bits]) {
        expectError(call(value), TypeError, 'applyMask: "mask" expected { bits: Uint8Array, shape }')
      }
      expectError(call({ bits: new Int8Array(1), shape: [4] }), TypeError, 'applyMask: "mask"')
    })

    it('a mask of another shape', () => {
      for (const shape of [[5], [2, 2], [], [1, 4]]) {
        const message = `applyMask: "mask" expected shape [4] as the tensor's, got [${shape.join(', ')}]`
        expectError(call({ bits: mask.bits, shape }), RangeError, message)
      }
    })

    it('too few or too many bytes', () => {
      for (const bytes of [0, 2]) {
        const message = `applyMask: "mask.bits" expected 1 bytes, got ${bytes}`
        expectError(call({ bits: new Uint8Array(bytes), shape: [4] }), RangeError, message)
      }
    })
  })

  describe('losses and softmax', () => {
    it('temperature', () => {
      for (const [verb, call] of [
        ['softmax', (temperature: unknown) => softmax(x, wrong({ temperature }))],
        ['logSoftmax', (temperature: unknown) => logSoftmax(x, wrong({ temperature }))],
        ['klDivergence', (temperature: unknown) => klDivergence(x, wrong({ ...kl, temperature }))],
        ['distillationLoss', (temperature: unknown) => distillationLoss(x, wrong({ ...full, temperature }))]
      ] as const) {
        for (const temperature of [0, -1, NaN, Infinity, -0]) {
          const message = `${verb}: "temperature" expected a finite number above 0, got ${temperature}`
          expectError(() => call(temperature), RangeError, message)
        }
        for (const temperature of ['2', true]) {
          expectError(() => call(temperature), TypeError, `${verb}: "temperature" expected a number`)
        }
      }
    })

    it('alpha', () => {
      for (const alpha of [-0.1, 1.1, NaN, Infinity]) {
        const message = `distillationLoss: "alpha" expected a number in [0, 1], got ${alpha}`
        expectError(() => distillationLoss(x, { ...full, alpha }), RangeError, message)
      }
      expectError(() => distillationLoss(x, { ...full, alpha: wrong('0.5') }), TypeError, 'distillationLoss: "alpha"')
    })

    it('temperatureSquared and reduction', () => {
      expectError(
        () => klDivergence(x, { ...kl, temperatureSquared: wrong('yes') }),
        TypeError,
        'klDivergence: "temperatureSquared" expected true or false'
      )
      const reductions = ['none', 'mean', 'batchMean', 'sum']
      for (const [verb, call] of [
        ['klDivergence', (reduction: unknown) => klDivergence(x, { ...kl, reduction: wrong(reduction) })],
        ['crossEntropy', (reduction: unknown) => crossEntropy(x, { ...ce, reduction: wrong(reduction) })],
        ['distillationLoss', (reduction: unknown) => distillationLoss(x, { ...full, reduction: wrong(reduction) })]
      ] as const) {
        expectError(() => call('batchmean'), TypeError, `${verb}: "reduction"`, ...reductions, '"batchmean"')
        expectError(() => call(1), TypeError, `${verb}: "reduction"`)
      }
    })

    it('labels', () => {
      const logits = [
        [1, 2, 3],
        [1, 2, 3]
      ]
      for (const [verb, call] of [
        ['crossEntropy', (labels: unknown) => crossEntropy(logits, { labels: wrong(labels) })],
        ['distillationLoss', (labels: unknown) => distillationLoss(logits, { teacher: logits, labels: wrong(labels) })]
      ] as const) {
        for (const label of [-1, 3, 1.5, NaN, Infinity, 2 ** 32]) {
          const message = `${verb}: "labels" expected class numbers from 0 to 2, got ${label} at row 1`
          expectError(() => call([0, label]), RangeError, message)
        }
        expectError(() => call(BigInt64Array.of(0n, 3n)), RangeError, `${verb}: "labels"`, 'got 3 at row 1')
        for (const labels of [[0], [0, 1, 2], [], Int32Array.of(0, 0, 0)]) {
          expectError(() => call(labels), RangeError, `${verb}: "labels" expected 2`, `got ${labels.length}`)
        }
        for (const labels of [undefined, null, '01', 1]) {
          expectError(() => call(labels), TypeError, `${verb}: "labels" expected an array of 2 class numbers`)
        }
      }
    })

    it('a teacher of another shape, or none', () => {
      const student = { data: new Float32Array(6), shape: [2, 3] }
      for (const shape of [[3, 2], [6], [1, 2, 3], [2, 4]]) {
        const teacher = { data: new Float32Array(sizeOf(shape)), shape }
        const message = `"teacher" expected shape [2, 3] as the student's, got [${shape.join(', ')}]`
        expectError(() => klDivergence(student, { teacher }), RangeError, `klDivergence: ${message}`)
        const call = (): unknown => distillationLoss(student, { teacher, labels: [0, 0] })
        expectError(call, RangeError, `distillationLoss: ${message}`)
      }
      expectError(() => klDivergence(student, wrong({})), TypeError, 'klDivergence: "teacher" expected a tensor')
      const call = (): unknown => distillationLoss(student, { labels: [0, 0] })
      expectError(call, TypeError, 'distillationLoss: "teacher" expected a tensor')
    })

    it('logits without classes', () => {
      const scalar = { data: Float32Array.of(1), shape: [] }
      const empty = { data: new Float32Array(0), shape: [3, 0] }
      for (const tensor of [scalar, empty, []]) {
        expectError(() => softmax(tensor), RangeError, 'softmax: "logits" expected a last dimension of classes')
        expectError(() => crossEntropy(tensor, { labels: [] }), RangeError, 'crossEntropy: "logits"')
        expectError(() => klDivergence(tensor, { teacher: tensor }), RangeError, 'klDivergence: "student"')
      }
    })
  })

  describe('lowRank and svd', () => {
    const matrix = { data: normals(12, 1), shape: [4, 3] }

    it('not a matrix', () => {
      for (const [verb, call, wanted, shapes] of [
        ['svd', svd, 'two dimensions or more, (..., m, n)', [[12]]],
        [
          'lowRank',
          (tensor: TensorLike) => lowRank(tensor, { rank: 1 }),
          'two dimensions',
          [[12], [2, 2, 3], [12, 1, 1]]
        ]
      ] as const) {
        for (const shape of shapes) {
          const message = `${verb}: "matrix" expected a shape of ${wanted}, got [${shape.join(', ')}]`
          expectError(() => call({ data: matrix.data, shape }), RangeError, message)
        }
        expectError(() => call(5 as never), TypeError, `${verb}: "matrix" expected a tensor`)
      }
    })

    it('rank', () => {
      for (const rank of [0, 4, 1.5, -1, NaN, Infinity]) {
        const message = `lowRank: "rank" expected a whole number from 1 to 3, got ${rank}`
        expectError(() => lowRank(matrix, { rank }), RangeError, message)
      }
      expectError(() => lowRank(matrix, { rank: wrong('2') }), TypeError, 'lowRank: "rank"', '"2"')
    })

    it('energy and maxRelativeError', () => {
      for (const energy of [0, -0.1, 1.1, NaN]) {
        expectError(() => lowRank(matrix, { energy }), RangeError, 'lowRank: "energy" expected', `got ${energy}`)
      }
      for (const maxRelativeError of [-0.1, 1.1, NaN]) {
        const message = `lowRank: "maxRelativeError" expected a number in [0, 1], got ${maxRelativeError}`
        expectError(() => lowRank(matrix, { maxRelativeError }), RangeError, message)
      }
      expectError(() => lowRank(matrix, { energy: wrong('1') }), TypeError, 'lowRank: "energy" expected a number')
    })

    it('exactly one target', () => {
      const message = 'lowRank: expected exactly one of rank, energy, maxRelativeError, got '
      expectError(() => lowRank(matrix, {}), TypeError, `${message}none`)
      expectError(() => lowRank(matrix, { rank: 1, energy: 0.5 }), TypeError, `${message}rank and energy`)
      const all = { rank: 1, energy: 0.5, maxRelativeError: 0.1 }
      expectError(() => lowRank(matrix, all), TypeError, `${message}rank and energy and maxRelativeError`)
    })

    it('a matrix without elements', () => {
      const empty = { data: new Float32Array(0), shape: [0, 3] }
      for (const options of [{ energy: 0.5 }, { maxRelativeError: 0.5 }, { rank: 1 }]) {
        expectError(() => lowRank(empty, options), RangeError, 'lowRank: "matrix" expected a matrix with elements')
      }
    })
  })

  it('compare wants equal shapes', () => {
    for (const [a, b] of [
      [[4], [5]],
      [[4], [2, 2]],
      [
        [2, 3],
        [3, 2]
      ],
      [[1], []]
    ]) {
      const call = (): unknown =>
        compare({ data: new Float32Array(sizeOf(a)), shape: a }, { data: new Float32Array(sizeOf(b)), shape: b })
      const message = `compare: "other" expected shape [${a.join(', ')}] as the reference's, got [${b.join(', ')}]`
      expectError(call, RangeError, message)
    }
  })
})

describe('after an error', () => {
  it('the verbs work as before', () => {
    const expected = quantize([1, 2, 3], { format: 'int8' })
    for (let k = 0; k < 50; k++) {
      expectError(
        () => quantize(new Float32Array(100000).fill(NaN), { format: 'int4', group: 5 }),
        RangeError,
        'index 0'
      )
      expectError(() => svd([[1, NaN]]), RangeError, 'index 1')
    }
    expect(quantize([1, 2, 3], { format: 'int8' })).toEqual(expected)
  })
})

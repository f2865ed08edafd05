import { describe, expect, it } from 'vitest'
import { logSoftmaxOracle, lossOracle, softmaxOracle } from './distill.js'
import { compareOracle, frobenius, orthogonalityRatio, residualRatio, symmetricEigenvaluesOracle } from './linalg.js'
import { applyMaskOracle, patternOracle, pruneOracle } from './prune.js'
import {
  bfloat16Bits,
  bfloat16Value,
  dequantizeOracle,
  fakeQuantizeOracle,
  float16Bits,
  float16Value,
  layout,
  packBits,
  quantizeOracle,
  roundHalfEven
} from './quantize.js'
import type { IntegerFormat, Options } from './quantize.js'
import { distillVectors as distill, f32, flags, quantizeVectors as quantize } from '../support/vectors.js'

const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length).slice()

const greatest = (values: Iterable<number>): number => Math.max(0, ...Array.from(values, Math.abs))

describe('distillation losses against PyTorch', () => {
  /**
   * 1e-9 of the greatest entry, plus the rounding of f64 sums whose terms, of magnitude log p, cancel: near convergence
   * the loss is 1e-7 and below, and PyTorch's own digits end at that floor.
   */
  function expectClose(actual: ArrayLike<number>, expected: readonly number[], floor: number): void {
    expect(actual.length).toBe(expected.length)
    const bound = 1e-9 * greatest(expected) + floor
    expected.forEach((x, i) => expect(Math.abs(actual[i] - x)).toBeLessThanOrEqual(bound))
  }

  const alphas = { klDivergence: 1, crossEntropy: 0, distillationLoss: NaN }

  it.each(distill.cases.map((golden, index) => ({ index, golden })))(
    'case $index: $golden.operation of $golden.input, $golden.reduction',
    ({ golden }) => {
      const { operation, temperature = 1, reduction, temperatureSquared = false } = golden
      const { rows, classes, student, teacher, labels } = distill.inputs[golden.input]
      const { loss, gradient } = lossOracle({
        student: f32(student),
        teacher: f32(teacher),
        labels,
        rows,
        classes,
        temperature,
        alpha: golden.alpha ?? alphas[operation],
        reduction,
        temperatureSquared
      })
      const factor = temperatureSquared ? temperature ** 2 : 1
      expect(typeof loss === 'number').toBe(reduction !== 'none')
      expectClose(typeof loss === 'number' ? [loss] : loss, [golden.loss].flat(), 1e-14 * factor)
      expectClose(gradient, golden.gradient, 1e-15 * Math.max(factor / temperature, 1))
    }
  )

  it('has the documented losses', () => {
    const { rows, classes, student, teacher } = distill.inputs.documented
    const common = { student: f32(student), teacher: f32(teacher), rows, classes, temperature: 2, alpha: 1 }
    expect(lossOracle({ ...common, reduction: 'batchMean', temperatureSquared: false }).loss).toBeCloseTo(0.0540463, 7)
    expect(lossOracle({ ...common, reduction: 'batchMean', temperatureSquared: true }).loss).toBeCloseTo(0.2161851, 7)
    expect(lossOracle({ ...common, reduction: 'mean', temperatureSquared: false }).loss).toBeCloseTo(0.0180154, 7)
  })

  it('gives exactly 0 for equal logits', () => {
    for (const golden of distill.cases.filter(
      ({ input, operation }) => input === 'identical' && operation[0] === 'k'
    )) {
      expect([golden.loss].flat().every((x) => x === 0)).toBe(true)
      const { rows, classes, student } = distill.inputs.identical
      const z = f32(student)
      const common = { student: z, teacher: z, rows, classes, alpha: 1, temperatureSquared: false }
      const { loss, gradient } = lossOracle({ ...common, temperature: golden.temperature!, reduction: 'sum' })
      expect(loss).toBe(0)
      expect(greatest(gradient)).toBe(0)
    }
  })

  it('masks classes and rejects rows without a distribution', () => {
    expect(softmaxOracle([0, -Infinity, 0], 3)).toEqual([0.5, 0, 0.5])
    expect(logSoftmaxOracle([-Infinity, 4], 1)).toEqual([-Infinity, 0])
    for (const row of [
      [-Infinity, -Infinity],
      [NaN, 0],
      [0, Infinity]
    ])
      expect(() => softmaxOracle(row, 1)).toThrow()
  })
})

describe('quantisation against PyTorch', () => {
  const toFloat = {
    float16: { bits: float16Bits, value: float16Value },
    bfloat16: { bits: bfloat16Bits, value: bfloat16Value }
  }

  it.each(['float16', 'bfloat16'] as const)('%s, bit for bit', (format) => {
    const golden = quantize[format]
    const data = f32(golden.input)
    const shape = [data.length]
    const { codes } = quantizeOracle(data, shape, { format })
    expect(codes).toEqual(Uint16Array.from(golden.bits))
    expect(bitsOf(dequantizeOracle({ codes }, shape, { format }))).toEqual(bitsOf(f32(golden.output)))
    const { values, bits } = fakeQuantizeOracle(data, shape, { format })
    expect(bitsOf(values)).toEqual(bitsOf(f32(golden.output)))
    expect(bits).toEqual(packBits(golden.input.map(() => true)))
  })

  it.each(['float16', 'bfloat16'] as const)('%s round-trips each of its bit patterns', (format) => {
    const { bits, value } = toFloat[format]
    for (let pattern = 0; pattern < 0x10000; pattern++) {
      const x = value(pattern)
      expect(Number.isNaN(x) ? Math.fround(x) : bits(x)).toBe(Number.isNaN(x) ? NaN : pattern)
    }
  })

  it('bfloat16 is the upper half of binary32', () => {
    const word = new Uint32Array(1)
    const view = new Float32Array(word.buffer)
    for (let pattern = 0; pattern < 0x7f80; pattern++) {
      word[0] = pattern * 0x10000
      expect(bfloat16Value(pattern)).toBe(view[0])
    }
  })

  it('saturates finite values', () => {
    expect([65519.99609375, 65520, -65520, 3e38].map(float16Bits)).toEqual([0x7bff, 0x7bff, 0xfbff, 0x7bff])
    expect([3.4028234663852886e38, -3.4028234663852886e38].map(bfloat16Bits)).toEqual([0x7f7f, 0xff7f])
    const half = fakeQuantizeOracle(f32([65519, 65520, -7e4, 1]), [4], { format: 'float16' })
    expect(half).toEqual({ values: f32([65504, 65504, -65504, 1]), bits: Uint8Array.of(0b1001) })
  })

  const fakeQuantizeCases = [...quantize.fakeQuantizePerTensor, ...quantize.fakeQuantizePerChannel]

  it.each(fakeQuantizeCases.map((golden, index) => ({ index, golden })))(
    'fake-quantises case $index: $golden.options of shape $golden.shape',
    ({ golden }) => {
      const { scales, zeroPoints, shape } = golden
      const { symmetric, format } = golden.options
      if (symmetric)
        expect(new Set(zeroPoints)).toEqual(new Set([format[0] === 'u' ? (format === 'uint8' ? 128 : 8) : 0]))
      const options = { ...golden.options, scales: f32(scales), ...(symmetric ? {} : { zeroPoints }) }
      const data = f32(golden.input)
      const { values, bits } = fakeQuantizeOracle(data, shape, options)
      expect(bitsOf(values)).toEqual(bitsOf(f32(golden.output)))
      expect(bits).toEqual(packBits(flags(golden.mask)))
      expect(bitsOf(dequantizeOracle(quantizeOracle(data, shape, options), shape, options))).toEqual(bitsOf(values))
    }
  )

  it('computes the parameters of a set', () => {
    const data = f32([-1, 0.5, 2])
    const symmetric = quantizeOracle(data, [3], { format: 'int8' })
    expect(symmetric).toEqual({ codes: Int8Array.of(-64, 32, 127), scales: f32([2 / 127]) })
    const asymmetric = quantizeOracle(data, [3], { format: 'uint8', symmetric: false })
    expect(asymmetric.scales).toEqual(f32([3 / 255]))
    expect(asymmetric.zeroPoints).toEqual(Uint8Array.of(85))
    // 0.5 times the f32 inverse is exactly 42.5, a tie that goes to 42.
    expect(asymmetric.codes).toEqual(Uint8Array.of(0, 127, 255))
    const packed = quantizeOracle(f32([-7, 7, 1]), [3], { format: 'int4' })
    expect(packed).toEqual({ codes: Uint8Array.of(0x79, 0x01), scales: f32([1]) })
    const constant = quantizeOracle(f32([0, -0]), [2], { format: 'int8', symmetric: false })
    expect(constant).toEqual({ codes: Int8Array.of(-128, -128), scales: f32([1]), zeroPoints: Int8Array.of(-128) })
    const tiny = quantizeOracle(f32([2 ** -149]), [1], { format: 'int8' })
    expect(tiny).toEqual({ codes: Int8Array.of(0), scales: f32([2 ** -126]) })
  })

  it('lays out channels and groups', () => {
    const sets = (shape: number[], axis?: number, group?: number) => {
      const { setOf } = layout(shape, axis, group)
      return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => setOf(i))
    }
    expect(sets([2, 3])).toEqual([0, 0, 0, 0, 0, 0])
    expect(sets([2, 3], -1)).toEqual([0, 1, 2, 0, 1, 2])
    expect(sets([2, 3], undefined, 2)).toEqual([0, 0, 1, 2, 2, 3])
    expect(sets([2, 2, 3], 1, 4)).toEqual([0, 0, 0, 2, 2, 2, 0, 1, 1, 2, 3, 3])
    expect(sets([5], undefined, 2)).toEqual([0, 0, 1, 1, 2])
    expect(quantizeOracle(f32([]), [0, 3], { format: 'int8', axis: 1 }).scales).toEqual(f32([1, 1, 1]))
    expect(quantizeOracle(f32([]), [3, 0], { format: 'int8', group: 2 }).scales).toEqual(f32([]))
    expect(quantizeOracle(f32([]), [0], { format: 'int8' }).scales).toEqual(f32([1]))
  })

  it('keeps what decodes within f32', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    const widths = { int8: 255, uint8: 255, int4: 15, uint4: 15 }
    for (const format of ['int8', 'uint8', 'int4', 'uint4'] as const) {
      for (const symmetric of [true, false]) {
        // Asymmetric codes may reach a step farther on one side than the data: at worst 8 steps for 7.5 (4 bits).
        for (const data of [f32([most]), f32([-most]), f32([-most, most]), f32([-most / 2, most, 1])]) {
          const options = { format, symmetric }
          const quantized = quantizeOracle(data, [data.length], options)
          const { scales } = quantized
          const least = -Math.min(0, ...data)
          const plain = Math.fround(
            symmetric ? most / Math.floor(widths[format] / 2) : (Math.max(0, ...data) + least) / widths[format]
          )
          expect(scales[0]).toBeLessThanOrEqual(plain)
          expect(scales[0]).toBeGreaterThan(plain * (1 - 2 ** -22) * (symmetric ? 1 : 7.5 / 8))
          for (const x of dequantizeOracle(quantized, [data.length], options)) expect(Math.abs(x)).not.toBe(Infinity)
        }
      }
    }
    // The greatest f32 whose seventh step is finite: 2^102 is its unit in the last place.
    const [scale] = quantizeOracle(f32([most]), [1], { format: 'int4' }).scales
    expect(Math.fround(scale * 7)).toBeLessThan(Infinity)
    expect(Math.fround((scale + 2 ** 102) * 7)).toBe(Infinity)
  })

  it('wants zero points exactly with asymmetric scales of the caller', () => {
    const data = f32([1])
    const run = (options: Parameters<typeof quantizeOracle>[2]) => () =>
      quantizeOracle(data, [1], options as Options<IntegerFormat>)
    expect(run({ format: 'int8', symmetric: false, scales: [1] })).toThrow(TypeError)
    expect(run({ format: 'int8', symmetric: false, zeroPoints: [1] })).toThrow(TypeError)
    expect(run({ format: 'int8', scales: [1], zeroPoints: [0] })).toThrow(TypeError)
    expect(run({ format: 'float16', symmetric: true })).toThrow(TypeError)
    for (const scale of [0, -1, 2 ** -127, 1e39, NaN])
      expect(run({ format: 'int8', scales: [scale] })).toThrow(RangeError)
    for (const point of [-1, 16, 0.5, NaN]) {
      expect(run({ format: 'uint4', symmetric: false, scales: [1], zeroPoints: [point] })).toThrow(RangeError)
    }
  })

  it('rejects what is not finite unless the scales are given', () => {
    expect(() => quantizeOracle(f32([0, Infinity]), [2], { format: 'int8' })).toThrow('1')
    expect(() => quantizeOracle(f32([NaN]), [1], { format: 'int8', scales: [1] })).toThrow('0')
    const { codes } = quantizeOracle(f32([Infinity, -Infinity]), [2], { format: 'int8', scales: [1] })
    expect(codes).toEqual(Int8Array.of(127, -127))
  })

  it('rounds half to even', () => {
    const below = 0.49999999999999994
    // prettier-ignore
    const cases = [
      [0.5, 0], [1.5, 2], [2.5, 2], [-0.5, 0], [-1.5, -2], [-2.5, -2], [below, 0], [-below, 0],
      [0.5 + 2 ** -53, 1], [4503599627370495.5, 4503599627370496], [2 ** 53, 2 ** 53], [-7.4, -7], [-7.6, -8]
    ]
    for (const [x, expected] of cases) expect(roundHalfEven(x)).toBe(expected)
  })
})

describe('pruning against PyTorch', () => {
  it.each(quantize.pruneLayer)('l1_unstructured with $amount', ({ amount, input, removed, kept }) => {
    const [{ values, bits, sparsity }] = pruneOracle([f32(input)], { sparsity: amount })
    expect(bits).toEqual(packBits(flags(kept)))
    expect(sparsity).toBe(removed / input.length)
    expect(values).toEqual(f32(input.map((x, i) => (kept[i] === 1 ? x : 0))))
    expect(applyMaskOracle(f32(input), bits)).toEqual(values)
  })

  it.each(quantize.pruneGlobal)('global_unstructured with $amount', ({ amount, inputs, kept }) => {
    const pruned = pruneOracle(inputs.map(f32), { sparsity: amount, scope: 'global' })
    expect(pruned.map(({ bits }) => bits)).toEqual(kept.map((mask) => packBits(flags(mask))))
  })

  it('removes the first of equal magnitudes', () => {
    const [a, b] = pruneOracle([f32([1, -1, 2]), f32([1, -0.5])], { sparsity: 0.4, scope: 'global' })
    expect([...a.values, ...b.values]).toEqual([0, -1, 2, 1, 0])
    expect(patternOracle(f32([1, -1, 1, -1, 1, 0, 3]), [7], 2, 4)).toEqual({
      values: f32([0, 0, 1, -1, 1, 0, 3]),
      bits: Uint8Array.of(0b1011100),
      sparsity: 3 / 7
    })
    // A row's last block is short, and the next row starts a block of its own.
    expect(patternOracle(f32([3, 1, 2, 4, 6, 5]), [2, 3], 1, 2).values).toEqual(f32([3, 0, 2, 0, 6, 5]))
  })
})

describe('pruning of what has no order', () => {
  it.each([NaN, Infinity, -Infinity])('rejects %s and names its index', (x) => {
    expect(() => pruneOracle([f32([1, 2]), f32([0, x])], { sparsity: 0 })).toThrow('1')
    expect(() => patternOracle(f32([1, 2, x, 3]), [4], 2, 4)).toThrow('2')
  })
})

describe('linear algebra against NumPy', () => {
  it.each(quantize.singularValues)('eigenvalues of the Gram matrix, $name', ({ m, n, input, singularValues }) => {
    const a = f32(input)
    const gram = new Float64Array(n * n)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) for (let r = 0; r < m; r++) gram[i * n + j] += a[r * n + i] * a[r * n + j]
    }
    const eigenvalues = symmetricEigenvaluesOracle(gram, n)
    expect(eigenvalues.length).toBe(n)
    const largest = singularValues[0] ** 2
    eigenvalues.forEach((eigenvalue, i) => {
      const s = i < singularValues.length ? singularValues[i] : 0
      expect(Math.abs(eigenvalue - s ** 2)).toBeLessThanOrEqual(1e-10 * largest)
    })
    expect(frobenius(a)).toBeCloseTo(frobenius(singularValues), 10)
  })

  it('measures an SVD as LAPACK does', () => {
    // A rotation, so A = A I I' is a decomposition, and both ratios are those of rounding only.
    const rotation = Float64Array.of(0.6, -0.8, 0.8, 0.6)
    const identity = Float64Array.of(1, 0, 0, 1)
    expect(residualRatio(rotation, 2, 2, rotation, [1, 1], identity)).toBe(0)
    expect(residualRatio(rotation, 2, 2, rotation, [1, 1 + 2 ** -50], identity)).toBeGreaterThan(1)
    expect(residualRatio(identity, 2, 2, identity, [1, 1.5], identity, 1)).toBe(0.25)
    expect(residualRatio([0, 0], 2, 1, [1, 0], [0], [1])).toBe(0)
    expect(orthogonalityRatio(rotation, 2, 2)).toBeLessThan(1)
    expect(orthogonalityRatio(Float64Array.of(2, 0, 0, 1), 2, 2, 1)).toBe(1.5)
  })

  it('compares with a reference', () => {
    expect(compareOracle([3, 4], [3, 4])).toEqual({
      meanSquaredError: 0,
      maxAbsoluteError: 0,
      relativeError: 0,
      snr: Infinity
    })
    const { snr, ...errors } = compareOracle([3, 4], [3, 3.5])
    expect(errors).toEqual({ meanSquaredError: 0.125, maxAbsoluteError: 0.5, relativeError: 0.1 })
    expect(snr).toBeCloseTo(20, 12)
    expect(compareOracle([0], [1])).toMatchObject({ relativeError: Infinity, snr: -Infinity })
    expect(compareOracle([0], [0])).toMatchObject({ relativeError: 0, snr: Infinity })
  })
})

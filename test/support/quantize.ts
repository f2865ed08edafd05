import { expect } from 'vitest'
import { quantize } from '../../src/index.js'
import { quantizeOracle } from '../oracle/quantize.js'
import type { FloatFormat, IntegerFormat, Options } from '../oracle/quantize.js'
import type { QuantizedHalf, QuantizedIntegers } from '../../src/index.js'
import { expectSameBits } from './bits.js'
import { index, normal, seeded } from './random.js'
import { LENGTHS, sizeOf } from './shapes.js'

export interface Grid {
  format: IntegerFormat
  symmetric: boolean
}

export const INTEGER_FORMATS = ['int8', 'uint8', 'int4', 'uint4'] as const
export const FLOAT_FORMATS = ['float16', 'bfloat16'] as const

export const GRIDS: readonly Grid[] = INTEGER_FORMATS.flatMap((format) =>
  [true, false].map((symmetric) => ({ format, symmetric }))
)

export const codeRange: Readonly<Record<IntegerFormat, { least: number; most: number; middle: number }>> = {
  int8: { least: -128, most: 127, middle: 0 },
  uint8: { least: 0, most: 255, middle: 128 },
  int4: { least: -8, most: 7, middle: 0 },
  uint4: { least: 0, most: 15, middle: 8 }
}

/** Where a shape is cut into sets. */
export interface Cut {
  shape: number[]
  axis?: number | undefined
  group?: number | undefined
}

export const nameOf = ({ shape, axis, group }: Cut): string =>
  `shape [${shape.join(', ')}]` +
  (axis === undefined ? '' : `, axis ${axis}`) +
  (group === undefined ? '' : `, group ${group}`)

const GREATEST = (2 - 2 ** -23) * 2 ** 127

const specials: readonly number[] = [0, -0, 2 ** -149, -(2 ** -149), 2 ** -127, -(2 ** -126), 1e-30]

/** Normal numbers over several magnitudes, which change every few elements, among zeros of both signs and subnormals. */
export function ugly(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = seeded(seed)
  let factor = 1
  return Float32Array.from({ length }, () => {
    if (random() < 0.02) factor = 2 ** (index(random, 24) - 16)
    return random() < 0.1 ? specials[index(random, specials.length)] : factor * normal(random)
  })
}

/** Every way of cutting a shape along an axis and into groups. */
export function cutsOf(shape: number[], groups: readonly (number | undefined)[]): Cut[] {
  const axes: (number | undefined)[] = [undefined]
  for (let axis = -shape.length; axis < shape.length; axis++) axes.push(axis)
  return axes.flatMap((axis) => groups.map((group) => ({ shape, axis, group })))
}

export const VECTOR_CUTS: readonly Cut[] = LENGTHS.flatMap((n) =>
  cutsOf([n], [undefined, 1, 3, 16, 64, n + 1, 2000]).filter(({ axis, group }) => axis !== -1 || group === 3)
)

/** Shapes of up to four dimensions, whose rows straddle the lanes of the kernels. */
export const SMALL_CUTS: readonly Cut[] = [
  [5, 3],
  [3, 5],
  [17, 33],
  [4, 64],
  [2, 3, 4],
  [4, 1, 5],
  [3, 16, 17],
  [2, 17, 8],
  [2, 3, 15],
  [2, 3, 16],
  [1, 1, 1, 1],
  [2, 3, 2, 5],
  [2, 2, 5, 19]
].flatMap((shape) => cutsOf(shape, [undefined, 1, 2, 7, 16, 1000]))

export const EMPTY_CUTS: readonly Cut[] = [
  { shape: [0] },
  { shape: [0], axis: 0 },
  { shape: [0], group: 4 },
  { shape: [0, 3] },
  { shape: [0, 3], axis: 0 },
  { shape: [0, 3], axis: 1 },
  { shape: [0, 3], axis: 1, group: 2 },
  { shape: [3, 0] },
  { shape: [3, 0], axis: 0 },
  { shape: [3, 0], group: 2 },
  { shape: [2, 0, 3], axis: -1 }
]

/** More elements than one tile, cut in every way that the tiles know. */
export const LARGE_CUTS: readonly Cut[] = [
  { shape: [100003] },
  { shape: [100003], group: 1 },
  { shape: [100003], group: 64 },
  { shape: [100003], group: 1000 },
  { shape: [70001], group: 40000 },
  { shape: [70001], axis: 0, group: 32768 },
  { shape: [70001], group: 32769 },
  { shape: [3, 40001] },
  { shape: [3, 40001], axis: 0 },
  { shape: [3, 40001], axis: 1 },
  { shape: [3, 40001], group: 64 },
  { shape: [3, 40001], group: 33 },
  { shape: [3, 40001], group: 32800 },
  { shape: [2, 70000], group: 33000 },
  { shape: [100, 701], group: 13 },
  { shape: [100, 701], axis: 1, group: 13 },
  { shape: [300, 200], axis: 1 },
  { shape: [5, 9000, 3], axis: 0 },
  { shape: [5, 9000, 3], axis: 1 },
  { shape: [5, 9000, 3], axis: -1 },
  { shape: [5, 9000, 3], axis: 1, group: 4 },
  { shape: [2, 40000, 2], axis: 1 },
  { shape: [2, 40000, 2], axis: 1, group: 3 },
  { shape: [20, 50, 33], axis: 1 },
  { shape: [20, 50, 33], axis: 1, group: 7 },
  { shape: [20, 50, 33], axis: 2, group: 999 },
  { shape: [40000, 3], axis: 1 },
  { shape: [40000, 3], axis: 1, group: 33000 },
  { shape: [40000, 3], axis: 1, group: 128 },
  { shape: [33000, 5], axis: 0 },
  { shape: [33000, 5], group: 2 },
  { shape: [2, 3, 20000], axis: 1 },
  { shape: [2, 3, 20000], axis: 1, group: 32768 },
  { shape: [2, 3, 20000], axis: 2 },
  { shape: [5, 3, 11000], axis: 1 },
  { shape: [2, 2, 40000], axis: 1 },
  { shape: [2, 2, 40000], axis: 1, group: 35000 },
  { shape: [1, 100, 701], axis: 1 },
  { shape: [4, 5, 60, 70], axis: -2, group: 50 }
]

/** Each large shape with bytes and with nibbles; signs and symmetry take turns from shape to shape. */
export const LARGE_CASES: readonly (Cut & Grid)[] = LARGE_CUTS.flatMap((cut, i) => {
  const signed = i % 2 === 0
  const symmetric = i % 4 < 2
  return [
    { ...cut, format: signed ? 'int8' : 'uint8', symmetric },
    { ...cut, format: signed ? 'uint4' : 'int4', symmetric: !symmetric }
  ]
})

export interface UglyCase {
  name: string
  data: Float32Array<ArrayBuffer>
}

const list = (name: string, ...values: number[]): UglyCase => ({ name, data: Float32Array.from(values) })

const filled = (name: string, length: number, value: number): UglyCase => ({
  name,
  data: new Float32Array(length).fill(value)
})

/** x / scale = k + .5 exactly: a greatest magnitude of `steps` makes the scale 1, and no operation rounds. */
const ties = (steps: number, factor: number): UglyCase => ({
  name: `ties of ${steps} steps at ${factor}`,
  data: Float32Array.from({ length: 2 * steps + 1 }, (_, i) =>
    i === 2 * steps ? steps * factor : (i - steps + 0.5) * factor
  )
})

export const UGLY_CASES: readonly UglyCase[] = [
  filled('zeros', 37, 0),
  filled('negative zeros', 37, -0),
  list('zeros of both signs', 0, -0, -0, 0, -0),
  filled('subnormals', 20, 2 ** -149),
  list('subnormals of both signs', 2 ** -149, -(2 ** -149), 2 ** -127, -(2 ** -130), 0, 2 ** -126),
  list('about the least scale', 2 ** -126 * 127, -(2 ** -126) * 7, 2 ** -125, 2 ** -120, -(2 ** -119)),
  filled('all equal', 33, -0.1),
  filled('all equal and positive', 33, 0.7),
  list('one element', 3.25),
  list('one negative element', -1e-20),
  list('the end of f32', GREATEST, -GREATEST, 1e38, -3e38, 0, 1),
  list('the positive end of f32', GREATEST, 1, 2e38, 3e38),
  list('the negative end of f32', -GREATEST, -1, -2e38, -3e38),
  list('a half and the end of f32', -GREATEST / 2, GREATEST, 1e37, -1e38),
  list('where scales begin to be reduced', 2 ** 119 * 127, -(2 ** 119) * 100, 2 ** 126),
  list('all of one sign', 5, 6, 7, 5.5, 5.25),
  list('all of the other sign', -5, -6, -7, -5.5, -5.25),
  ...[7, 15, 127, 255].flatMap((steps) => [ties(steps, 1), ties(steps, 2 ** -20), ties(steps, 3 * 2 ** 60)])
]

/** What `quantize` should return, made by the oracle: dequantisation is tested on its own. */
export function quantizedIntegers(
  data: Float32Array,
  shape: readonly number[],
  options: Options<IntegerFormat>
): QuantizedIntegers {
  const { format, axis, group, symmetric = true } = options
  const { codes, scales, zeroPoints } = quantizeOracle(data, shape, options)
  return {
    format,
    shape: [...shape],
    ...(axis === undefined ? {} : { axis }),
    ...(group === undefined ? {} : { group }),
    symmetric,
    codes,
    scales,
    ...(zeroPoints === undefined ? {} : { zeroPoints })
  } as QuantizedIntegers
}

export function quantizedFloats(data: Float32Array, shape: readonly number[], format: FloatFormat): QuantizedHalf {
  return { format, shape: [...shape], codes: quantizeOracle(data, shape, { format }).codes } as QuantizedHalf
}

export interface GivenCase extends Cut, Grid {
  data: Float32Array<ArrayBuffer>
  scales: number[]
  zeroPoints?: number[]
}

/** Scales of the caller that fit the data badly: infinities, far too large and far too small values, any zero point. */
export function givenCases(grids: readonly Grid[] = GRIDS): GivenCase[] {
  const cuts: Cut[] = [
    ...[1, 3, 15, 16, 17, 40, 257].map((n) => ({ shape: [n] })),
    { shape: [40], group: 7 },
    { shape: [3, 35], axis: 0 },
    { shape: [35, 3], axis: 1 },
    { shape: [9, 17, 2], axis: 1 },
    { shape: [5, 4, 18], axis: 1 },
    { shape: [5, 4, 18], axis: 1, group: 11 },
    { shape: [40001, 2], axis: 1 },
    { shape: [35001], group: 33000 }
  ]
  return grids.flatMap(({ format, symmetric }) =>
    cuts.map((cut, i) => {
      const random = seeded(i + 1)
      const size = sizeOf(cut.shape)
      const far = [Infinity, -Infinity, GREATEST, -GREATEST, 1e30, -1e30, 1e-45, 0, -0]
      const data = Float32Array.from({ length: size }, () =>
        random() < 0.2 ? far[index(random, far.length)] : 100 * normal(random)
      )
      const sets = quantizeOracle(new Float32Array(size), cut.shape, { format, ...cut }).scales.length
      const choices = [1, 0.5, 0.1, 3e-5, 2 ** -126, 1e38, 0.7234, 1e10]
      const scales = Array.from({ length: sets }, () => choices[index(random, choices.length)])
      const { least, most } = codeRange[format]
      const zeroPoints = Array.from({ length: sets }, () => least + index(random, most - least + 1))
      return { ...cut, format, symmetric, data, scales, ...(symmetric ? {} : { zeroPoints }) }
    })
  )
}

type Given = { scales?: number[]; zeroPoints?: number[] }

/** Expects what the oracle makes of the data, bit for bit. */
export function checkQuantize(data: Float32Array<ArrayBuffer>, { shape, ...options }: Cut & Grid & Given): void {
  const expected = quantizeOracle(data, shape, options)
  const actual = quantize({ data, shape }, options)
  const name = `${nameOf({ shape, ...options })}, ${options.format}${options.symmetric ? '' : ' asymmetric'}`
  expectSameBits(actual.scales, expected.scales, `scales of ${name}`)
  expect(actual.zeroPoints === undefined, `absence of zero points of ${name}`).toBe(expected.zeroPoints === undefined)
  if (actual.zeroPoints && expected.zeroPoints) {
    expectSameBits(actual.zeroPoints, expected.zeroPoints, `zero points of ${name}`)
  }
  expectSameBits(actual.codes, expected.codes, `codes of ${name}`)
}

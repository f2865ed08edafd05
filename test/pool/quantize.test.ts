import { describe, expect, it } from 'vitest'
import { quantize } from '../../src/index.js'
import type { Quantized, QuantizedIntegers, QuantizeOptions } from '../../src/index.js'
import {
  EMPTY_CUTS,
  FLOAT_FORMATS,
  GRIDS,
  nameOf,
  SMALL_CUTS,
  UGLY_CASES,
  codeRange,
  type Grid
} from '../support/quantize.js'
import { index, seeded } from '../support/random.js'
import { byTurns, CHUNK, checkResult, numbers, repeated, somePools } from '../support/pool.js'
import { CHUNKED_CUTS } from '../support/poolCuts.js'
import { sizeOf } from '../support/shapes.js'

const pools = somePools()

const LENGTHS = [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1]

const gridOf = (i: number): Grid => GRIDS[i % GRIDS.length]!

/** All three verbs on one tensor. */
async function check(
  data: Float32Array<ArrayBuffer>,
  shape: number[],
  options: QuantizeOptions,
  turn?: number
): Promise<void> {
  const tensor = { data, shape }
  const quantized = quantize(tensor, options)
  const name = `${options.format}, ${nameOf({ ...options, shape })}`
  const on = turn === undefined ? pools : byTurns(pools, turn)
  await Promise.all([
    checkResult(on, { verb: 'quantize', args: [tensor], options }, `quantize ${name}`),
    checkResult(on, { verb: 'dequantize', args: [quantized] }, `dequantize ${name}`),
    checkResult(on, { verb: 'fakeQuantize', args: [tensor], options }, `fakeQuantize ${name}`)
  ])
}

describe('lengths around chunks', () => {
  it.each(LENGTHS.map((length, i) => ({ length, i })))('$length', async ({ length, i }) => {
    const data = numbers(length, length)
    await check(data, [length], { format: i % 2 ? 'int8' : 'uint4', symmetric: i % 4 < 2 }, i + 1)
    await check(data, [length], { ...gridOf(i) }, i)
    await check(data, [length], { format: i % 2 ? 'float16' : 'bfloat16' }, i)
  })
})

describe('shapes of more than a chunk', () => {
  // All of them: test/slow/pool.test.ts.
  it.each(CHUNKED_CUTS.map((cut, i) => ({ name: nameOf(cut), cut, i })).filter(({ i }) => i % 3 === 1))(
    '$name',
    async ({ cut, i }) => {
      const { shape, axis, group } = cut
      await check(numbers(sizeOf(shape), i), shape, { ...gridOf(3 * i), axis, group }, i)
    }
  )
})

it('small shapes, every axis, groups', async () => {
  await Promise.all(
    SMALL_CUTS.filter((_, i) => i % 3 === 0).map(({ shape, axis, group }, i) =>
      check(numbers(sizeOf(shape), i), shape, { ...gridOf(i), axis, group }, i)
    )
  )
})

it('tensors without elements, scalars', async () => {
  for (const { shape, axis, group } of EMPTY_CUTS) {
    for (const grid of GRIDS) await check(new Float32Array(0), shape, { ...grid, axis, group })
  }
  for (const format of FLOAT_FORMATS) {
    await check(new Float32Array(0), [3, 0], { format })
    await check(Float32Array.of(-2.75), [], { format })
  }
  for (const grid of GRIDS) await check(Float32Array.of(-3.5), [], { ...grid })
})

describe('values', () => {
  it.each(UGLY_CASES)('$name, few', async ({ data }) => {
    for (const grid of GRIDS) await check(data, [data.length], { ...grid, group: 3 }, data.length)
  })

  it.each(UGLY_CASES.map((ugly, i) => ({ ...ugly, i })).filter(({ i }) => i % 4 === 1))(
    '$name, over chunks',
    async ({ data: few, i }) => {
      const length = 2 * CHUNK + 79
      const data = repeated(few, length)
      await check(data, [length], { ...gridOf(i) }, i)
      if (i % 4 === 0) await check(data, [3, length / 3], { ...gridOf(i + 1), axis: 0 }, i + 1)
    }
  )

  it('the greatest magnitude in any chunk decides the scale', async () => {
    for (const at of [0, CHUNK, 2 * CHUNK + 12]) {
      for (const sign of [1, -1]) {
        const data = numbers(2 * CHUNK + 13, at)
        data[at] = sign * 12345
        await check(data, [data.length], { format: 'int8' }, sign)
        await check(data, [data.length], { format: 'uint4', symmetric: false }, sign + 1)
      }
    }
  })
})

describe('scales of the caller', () => {
  const CUTS = CHUNKED_CUTS.filter((_, i) => i % 8 === 3)

  it.each(CUTS.map((cut, i) => ({ name: nameOf(cut), cut, i })))(
    '$name',
    async ({ cut: { shape, axis, group }, i }) => {
      const grid = gridOf(i)
      const data = numbers(sizeOf(shape), 100 + i)
      const own = quantize({ data, shape }, { ...grid, axis, group }) as QuantizedIntegers
      const random = seeded(i)
      const scales = own.scales.map((scale) => Math.max(2 ** -126, scale * (0.2 + random())))
      const { least, most } = codeRange[grid.format]
      const zeroPoints = grid.symmetric ? undefined : Array.from(scales, () => least + index(random, most - least + 1))
      for (const at of [0, 5, CHUNK - 1, CHUNK, data.length - 1]) data[at] = at % 2 ? Infinity : -Infinity
      await check(data, shape, { ...grid, axis, group, scales, zeroPoints }, i)
    }
  )
})

it('dequantize: any codes, NaN patterns among them', async () => {
  const length = CHUNK + 4097
  const random = seeded(9)
  const words = Uint16Array.from({ length }, () => index(random, 65536))
  for (const format of FLOAT_FORMATS) {
    await checkResult(pools, { verb: 'dequantize', args: [{ format, shape: [length], codes: words }] }, format)
  }
  for (const format of ['int4', 'uint4'] as const) {
    const codes = new Uint8Array(words.slice(0, Math.ceil(length / 2))).map((_, i) => words[i]! & 255)
    const scales = Float32Array.of(0.3)
    const zeroPoints = format === 'int4' ? Int8Array.of(-3) : Uint8Array.of(9)
    const quantized: Quantized = { format, shape: [length], symmetric: false, codes, scales, zeroPoints }
    await checkResult(pools, { verb: 'dequantize', args: [quantized] }, format)
  }
})

it('a result shares nothing with the call', async () => {
  const shape = [2, 3]
  const tensor = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape }
  const [pool] = pools
  const quantized = await pool!.quantize(tensor, { format: 'int8' })
  expect(quantized.shape).not.toBe(shape)
  const back = await pool!.dequantize(quantized)
  expect(back.shape).not.toBe(quantized.shape)
  const { values, mask } = await pool!.fakeQuantize(tensor, { format: 'int8' })
  expect(values.shape).not.toBe(mask.shape)
  expect(values.shape).not.toBe(shape)
})

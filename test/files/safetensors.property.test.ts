import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../src/core/errors.js'
import type { Dtype } from '../../src/files/dtypes.js'
import { openTensors } from '../../src/files/open.js'
import { decodeSafetensors } from '../../src/files/safetensors.js'
import { encodeSafetensors } from '../../src/files/safetensorsWriter.js'
import { bytesOf, CARRIERS, concat, example } from '../support/files.js'

const named = fc
  .constantFrom(...(Object.keys(CARRIERS) as Dtype[]))
  .chain((dtype) => {
    const length =
      dtype === 'F4' ? fc.nat(3).map((n) => 2 * n) : dtype.startsWith('F6') ? fc.nat(2).map((n) => 4 * n) : fc.nat(5)
    return fc.tuple(fc.constant(dtype), fc.array(fc.nat(4), { maxLength: 3 }), length, fc.nat(255))
  })
  .map(([dtype, shape, last, seed]) => example(dtype, [...shape, last], seed))

const files = fc.record({
  tensors: fc
    .dictionary(
      fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__'),
      named,
      { maxKeys: 6 }
    )
    .map((all) => Object.entries(all).map(([name, tensor]) => ({ name, ...tensor }))),
  metadata: fc.dictionary(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }).filter((s) => !/\p{Surrogate}/u.test(s))
  )
})

describe('any tensors', () => {
  it('come back with the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(files, async ({ tensors, metadata }) => {
        const bytes = encodeSafetensors(tensors, metadata)
        expect(encodeSafetensors(tensors, metadata)).toEqual(bytes)
        const file = await openTensors(bytes)
        expect({ ...file.metadata }).toEqual({ ...metadata })
        expect(file.tensors.map(({ name }) => name).sort()).toEqual(tensors.map(({ name }) => name).sort())
        const whole = decodeSafetensors(bytes)
        expect(whole.metadata).toEqual(file.metadata)
        for (const { name, dtype, shape, data } of tensors) {
          const back = await file.read(name)
          expect(whole.tensors.get(name)).toEqual(back)
          expect([back.dtype, back.shape]).toEqual([dtype, shape])
          expect(bytesOf(back.data)).toEqual(bytesOf(data))
        }
      })
    )
  })

  it('in a damaged file give FormatError or are read', async () => {
    const damage = fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...concat('{}[]",:0123456789-.eE \\')))),
      {
        minLength: 1,
        maxLength: 4
      }
    )
    await fc.assert(
      fc.asyncProperty(files, damage, fc.option(fc.nat()), async ({ tensors, metadata }, changes, cut) => {
        let bytes = encodeSafetensors(tensors, metadata)
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        if (cut !== null) bytes = bytes.slice(0, cut % bytes.length)
        try {
          const file = await openTensors(bytes)
          for (const { name } of file.tensors) await file.read(name)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
      { numRuns: 2000 }
    )
  })
})

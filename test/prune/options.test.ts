import { describe, it } from 'vitest'
import { applyMask, prune } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'

describe('options', () => {
  const x = [1, 2, 3, 4]
  const mask = { bits: Uint8Array.of(1), shape: [4] }

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
})

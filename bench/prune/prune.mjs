import { applyMask, prune } from '../../build/index.js'
import { check, gigabytes, interleave, milliseconds, tiled, times } from '../harness.mjs'

const N = 10_000_000
const SPARSITY = 0.8

/** Hoare's quickselect on a copy of the magnitudes, then one loop for values and mask. */
function plain(
  x,
  count,
  a = new Float32Array(x.length),
  values = new Float32Array(x.length),
  bits = new Uint8Array(Math.ceil(x.length / 8))
) {
  for (let i = 0; i < a.length; i++) a[i] = Math.abs(x[i])
  let low = 0
  let high = a.length - 1
  const k = count - 1
  while (low < high) {
    const pivot = a[(low + high) >> 1]
    let i = low
    let j = high
    while (i <= j) {
      while (a[i] < pivot) i++
      while (a[j] > pivot) j--
      if (i <= j) {
        const t = a[i]
        a[i++] = a[j]
        a[j--] = t
      }
    }
    if (k <= j) high = j
    else if (k >= i) low = i
    else break
  }
  const threshold = a[k]
  let below = 0
  for (let i = 0; i < x.length; i++) if (Math.abs(x[i]) < threshold) below++
  let ties = count - below
  values.fill(0)
  bits.fill(0)
  for (let i = 0; i < x.length; i++) {
    const magnitude = Math.abs(x[i])
    if (magnitude < threshold || (magnitude === threshold && ties-- > 0)) continue
    values[i] = x[i]
    bits[i >> 3] |= 1 << (i & 7)
  }
  return { values, bits }
}

export async function run(report) {
  const x = tiled(N)
  const twoDimensional = { data: x, shape: [10_000, 1000] }
  const expected = plain(x, SPARSITY * N)
  const out = prune(x, { sparsity: SPARSITY })
  const { mask, values } = out
  check(Buffer.compare(Buffer.from(expected.bits.buffer), Buffer.from(mask.bits.buffer)) === 0, 'mask')
  check(
    expected.values.every((value, i) => value === values.data[i]),
    'values'
  )
  const copy = new Float32Array(N)
  const ms = await interleave(
    {
      memcpy: () => copy.set(x),
      'plain quickselect and mask': () => plain(x, SPARSITY * N),
      [`prune sparsity ${SPARSITY}`]: () => prune(x, { sparsity: SPARSITY }),
      'plain, arrays given': () => plain(x, SPARSITY * N, copy, expected.values, expected.bits),
      [`prune sparsity ${SPARSITY}, arrays given`]: () => prune(x, { sparsity: SPARSITY, out }),
      'prune pattern 2:4': () => prune(twoDimensional, { pattern: '2:4' }),
      applyMask: () => applyMask(x, mask)
    },
    { rounds: 7 }
  )
  report(
    'prune: 10 million f32, values and bitmask, in fresh arrays where none are given',
    ['', 'time', 'f32 bytes', 'of memcpy', 'of plain JS'],
    Object.entries(ms).map(([name, time]) => [
      name,
      milliseconds(time),
      gigabytes(4 * N, time),
      times(ms.memcpy, time),
      times(ms[name.endsWith('given') ? 'plain, arrays given' : 'plain quickselect and mask'], time)
    ])
  )
}

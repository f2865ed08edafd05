/**
 * The straight-through mask of fake quantisation: a byte 0xff where low <= rint(x / scale) + zero <= high, judged on
 * the rounded value as PyTorch does (aten/src/ATen/native/quantized/cpu/kernels/QuantizedOpKernels.cpp), else 0.
 */
import { ABS_MASK, Lanes, ROUND_MAGIC_BITS } from '../common/lanes'
import { Encode } from './encode'

class Inside {
  @inline static lane(x: v128, inverse: v128, bias: v128, cap: v128): v128 {
    return i32x4.le_u(Encode.lane(x, inverse, bias, 1), cap)
  }

  @inline static scalar(x: f32, inverse: f32, offset: i32, cap: i32): u8 {
    const q = <i32>nearest(Encode.stepsScalar(x, inverse, 1)) + offset
    return q >= 0 && q <= cap ? 0xff : 0
  }
}

/** bytes: u8[rows][length] for src: f32[rows][length]; the rest as in encodeRows. */
export function insideRows(
  bytes: usize,
  src: usize,
  rows: i32,
  length: i32,
  group: i32,
  cycle: i32,
  scales: usize,
  zeros: usize,
  low: i32,
  high: i32
): void {
  const sets = scales
  const gap = zeros - scales
  const cap = high - low
  const vc = i32x4.splat(cap)
  let left = cycle
  while (rows > 0) {
    let n = length
    do {
      const take = min(group, n)
      const inverse = <f32>1.0 / load<f32>(scales)
      const offset = load<i32>(scales + gap) - low
      const vi = f32x4.splat(inverse)
      const vb = i32x4.splat(ROUND_MAGIC_BITS - offset)
      const end = src + ((<usize>take) << 2)
      while (src + 64 <= end) {
        const a = Inside.lane(v128.load(src), vi, vb, vc)
        const b = Inside.lane(v128.load(src, 16), vi, vb, vc)
        const c = Inside.lane(v128.load(src, 32), vi, vb, vc)
        const d = Inside.lane(v128.load(src, 48), vi, vb, vc)
        v128.store(bytes, Lanes.narrowMasks(a, b, c, d))
        bytes += 16
        src += 64
      }
      while (src < end) {
        store<u8>(bytes, Inside.scalar(load<f32>(src), inverse, offset, cap))
        bytes++
        src += 4
      }
      scales += 4
      n -= take
    } while (n > 0)
    if (--left == 0) {
      left = cycle
      scales = sets
    }
    rows--
  }
}

/** bytes: u8[rows][width] for src: f32[rows][width]; the rest as in encodeColumns. */
export function insideColumns(
  bytes: usize,
  src: usize,
  rows: i32,
  width: i32,
  inverses: usize,
  zeros: usize,
  low: i32,
  high: i32
): void {
  const cap = high - low
  while (rows > 0) {
    let c = 0
    while (c < width) {
      const at = (<usize>c) << 2
      const offset = load<i32>(zeros + at) - low
      store<u8>(bytes + c, Inside.scalar(load<f32>(src + at), load<f32>(inverses + at), offset, cap))
      c++
    }
    bytes += width
    src += (<usize>width) << 2
    rows--
  }
}

/** bytes: u8[n], 0xff where |src| as a pattern is below `limit`: the formats without a scale. */
export function insideLimit(bytes: usize, src: usize, n: i32, limit: i32): void {
  const end = src + ((<usize>n) << 2)
  while (src < end) {
    store<u8>(bytes, (load<i32>(src) & ABS_MASK) < limit ? 0xff : 0)
    bytes++
    src += 4
  }
}

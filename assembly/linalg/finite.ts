/** Whether no number of a run is NaN or infinite: those have an exponent of ones. */
import { Lanes } from '../common/lanes'

/** Exponents of ones and no fraction, shifted left by 1 to be rid of the sign; of f64, the upper word. */
const INFINITY_F32: u32 = 0xff000000
const INFINITY_F64: u32 = 0xffe00000

class Words {
  /** The greatest of each lane's words, shifted left by 1, over whole pairs of vectors. */
  @inline static greatest(x: usize, end: usize): v128 {
    let a = i32x4.splat(0)
    let b = a
    while (x < end) {
      a = i32x4.max_u(a, i32x4.shl(v128.load(x), 1))
      b = i32x4.max_u(b, i32x4.shl(v128.load(x, 16), 1))
      x += 32
    }
    return i32x4.max_u(a, b)
  }
}

/** 1 where all of x: f32[n] is finite, else 0. */
export function finiteF32(x: usize, n: i32): i32 {
  const end = x + ((<usize>n) << 2)
  const whole = x + (((<usize>n) << 2) & ~31)
  let top = <u32>Lanes.maxUnsigned(Words.greatest(x, whole))
  x = whole
  while (x < end) {
    top = max(top, load<u32>(x) << 1)
    x += 4
  }
  return top < INFINITY_F32 ? 1 : 0
}

/** The same of f64. */
export function finiteF64(x: usize, n: i32): i32 {
  const end = x + ((<usize>n) << 3)
  const whole = x + (((<usize>n) << 3) & ~31)
  // The lower words, in lanes 0 and 2, say nothing.
  const words = Words.greatest(x, whole)
  let top = max(<u32>i32x4.extract_lane(words, 1), <u32>i32x4.extract_lane(words, 3))
  x = whole
  while (x < end) {
    top = max(top, load<u32>(x, 4) << 1)
    x += 8
  }
  return top < INFINITY_F64 ? 1 : 0
}

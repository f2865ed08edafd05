/** value = (code - zero) * scale, in f32: the difference is exact, so there is one rounding. */
class Decode {
  @inline static sixteen(dst: usize, codes: usize, scale: v128, zero: v128, signed: i32): void {
    let a: v128
    let b: v128
    if (signed) {
      a = v128.load_ext<i8>(codes)
      b = v128.load_ext<i8>(codes, 8)
    } else {
      a = v128.load_ext<u8>(codes)
      b = v128.load_ext<u8>(codes, 8)
    }
    a = i16x8.sub(a, zero)
    b = i16x8.sub(b, zero)
    v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(a)), scale))
    v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(a)), scale), 16)
    v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(b)), scale), 32)
    v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(b)), scale), 48)
  }

  @inline static code(p: usize, signed: i32): i32 {
    return signed ? <i32>load<i8>(p) : <i32>load<u8>(p)
  }

  @inline static run(dst: usize, codes: usize, n: i32, scale: f32, zero: i32, signed: i32): void {
    const end = codes + n
    if (n >= 16) {
      const vs = f32x4.splat(scale)
      const vz = i16x8.splat(<i16>zero)
      const last = end - 16
      do {
        Decode.sixteen(dst, codes, vs, vz, signed)
        dst += 64
        codes += 16
      } while (codes <= last)
      if (codes < end) Decode.sixteen(dst - ((codes - last) << 2), last, vs, vz, signed)
    } else {
      while (codes < end) {
        store<f32>(dst, <f32>(Decode.code(codes, signed) - zero) * scale)
        dst += 4
        codes++
      }
    }
  }

  @inline static rows(
    dst: usize,
    codes: usize,
    rows: i32,
    length: i32,
    group: i32,
    cycle: i32,
    scales: usize,
    zeros: usize,
    signed: i32
  ): void {
    const sets = scales
    const gap = zeros - scales
    let left = cycle
    while (rows > 0) {
      let n = length
      do {
        const take = min(group, n)
        Decode.run(dst, codes, take, load<f32>(scales), load<i32>(scales + gap), signed)
        scales += 4
        codes += take
        dst += (<usize>take) << 2
        n -= take
      } while (n > 0)
      if (--left == 0) {
        left = cycle
        scales = sets
      }
      rows--
    }
  }

  @inline static four(codes: v128, scales: usize, zeros: usize): v128 {
    return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(codes, v128.load(zeros))), v128.load(scales))
  }

  @inline static columns(
    dst: usize,
    codes: usize,
    rows: i32,
    width: i32,
    scales: usize,
    zeros: usize,
    signed: i32
  ): void {
    while (rows > 0) {
      let c = 0
      while (c + 8 <= width) {
        const at = (<usize>c) << 2
        let a: v128
        if (signed) a = v128.load_ext<i8>(codes + c)
        else a = v128.load_ext<u8>(codes + c)
        v128.store(dst + at, Decode.four(i32x4.extend_low_i16x8_s(a), scales + at, zeros + at))
        v128.store(dst + at, Decode.four(i32x4.extend_high_i16x8_s(a), scales + at + 16, zeros + at + 16), 16)
        c += 8
      }
      while (c < width) {
        const at = (<usize>c) << 2
        store<f32>(dst + at, <f32>(Decode.code(codes + c, signed) - load<i32>(zeros + at)) * load<f32>(scales + at))
        c++
      }
      codes += width
      dst += (<usize>width) << 2
      rows--
    }
  }
}

/**
 * dst: f32[rows][length] from codes: i8 or u8[rows][length]; runs of `group` as in rangeRows; scales: f32, zeros:
 * i32[sets].
 */
export function decodeRows(
  dst: usize,
  codes: usize,
  rows: i32,
  length: i32,
  group: i32,
  cycle: i32,
  scales: usize,
  zeros: usize,
  signed: i32
): void {
  if (signed) Decode.rows(dst, codes, rows, length, group, cycle, scales, zeros, 1)
  else Decode.rows(dst, codes, rows, length, group, cycle, scales, zeros, 0)
}

/** dst: f32[rows][width] from codes: i8 or u8[rows][width]; scales: f32[width], zeros: i32[width]. */
export function decodeColumns(
  dst: usize,
  codes: usize,
  rows: i32,
  width: i32,
  scales: usize,
  zeros: usize,
  signed: i32
): void {
  if (signed) Decode.columns(dst, codes, rows, width, scales, zeros, 1)
  else Decode.columns(dst, codes, rows, width, scales, zeros, 0)
}

/**
 * Codes as planes of 4, 2 and 1 bits, the lowest bits first, each from the lowest bit of a byte up; 8 bits: code - 128
 * as a signed byte.
 */
export class Planes {
  /** Sixteen codes of a plane as its bytes, the first lowest. */
  @inline static group(codes: usize, plane: i32, shift: i32): u64 {
    const v = i8x16.shr_u(v128.load(codes), shift)
    if (plane == 4) {
      const low = v128.and(v, i16x8.splat(0x0f))
      const pairs = v128.or(low, v128.and(i16x8.shr_u(v, 4), i16x8.splat(0xf0)))
      return <u64>i64x2.extract_lane(i8x16.narrow_i16x8_u(pairs, pairs), 0)
    }
    if (plane == 2) {
      const low = v128.and(v, i8x16.splat(3))
      const pairs = v128.and(v128.or(low, i16x8.shr_u(low, 6)), i16x8.splat(0x0f))
      const fours = v128.and(v128.or(pairs, i32x4.shr_u(pairs, 12)), i32x4.splat(0xff))
      const words = i16x8.narrow_i32x4_s(fours, fours)
      return <u64>(<u32>i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0))
    }
    return <u64>i8x16.bitmask(i8x16.shl(v, 7))
  }

  @inline static put(to: usize, bytes: u64, plane: i32): void {
    if (plane == 4) store<u64>(to, bytes)
    else if (plane == 2) store<u32>(to, <u32>bytes)
    else store<u16>(to, <u16>bytes)
  }

  @inline static plane(to: usize, codes: usize, n: i32, plane: i32, shift: i32): usize {
    const end = to + <usize>((plane * n + 7) >> 3)
    const step = <usize>(plane << 1)
    while (to + step <= end) {
      Planes.put(to, Planes.group(codes, plane, shift), plane)
      to += step
      codes += 16
    }
    if (to < end) {
      let rest = Planes.group(codes, plane, shift)
      do {
        store<u8>(to, <u8>rest)
        rest >>= 8
        to++
      } while (to < end)
    }
    return to
  }

  /** to: planes of codes: u8[n], followed by zeros up to a multiple of 16. */
  static pack(to: usize, codes: usize, n: i32, bits: i32): void {
    if (bits == 8) {
      const end = codes + n
      while (codes + 16 <= end) {
        v128.store(to, v128.xor(v128.load(codes), i8x16.splat(-128)))
        to += 16
        codes += 16
      }
      while (codes < end) {
        store<u8>(to, load<u8>(codes) ^ 0x80)
        to++
        codes++
      }
      return
    }
    let shift = 0
    if (bits & 4) {
      to = Planes.plane(to, codes, n, 4, 0)
      shift = 4
    }
    if (bits & 2) {
      to = Planes.plane(to, codes, n, 2, shift)
      shift += 2
    }
    if (bits & 1) Planes.plane(to, codes, n, 1, shift)
  }

  /** Adds a plane's bits, shifted, to codes: u8[n]; returns where the next plane begins. */
  @inline static spread(codes: usize, from: usize, n: i32, plane: i32, shift: i32): usize {
    const mask: u32 = (1 << plane) - 1
    const end = codes + n
    let left = 0
    let byte: u32 = 0
    do {
      if (left == 0) {
        byte = <u32>load<u8>(from)
        from++
        left = 8
      }
      store<u8>(codes, load<u8>(codes) | (<u8>((byte & mask) << shift)))
      byte >>= plane
      left -= plane
      codes++
    } while (codes < end)
    return from
  }

  /** codes: u8[n] of planes. */
  static unpack(codes: usize, from: usize, n: i32, bits: i32): void {
    if (bits == 8) {
      const end = codes + n
      do {
        store<u8>(codes, load<u8>(from) ^ 0x80)
        codes++
        from++
      } while (codes < end)
      return
    }
    memory.fill(codes, 0, n)
    let shift = 0
    if (bits & 4) {
      from = Planes.spread(codes, from, n, 4, 0)
      shift = 4
    }
    if (bits & 2) {
      from = Planes.spread(codes, from, n, 2, shift)
      shift += 2
    }
    if (bits & 1) Planes.spread(codes, from, n, 1, shift)
  }
}

/**
 * rows: f32[count][n] = offset + scale code, of rows of codes `stride` bytes apart: scale is the row's first factor
 * times `factor`; offset its third times `factor` where `third`, else scale times `zero`. scratch: u8[n].
 */
export function decodeUniform(
  rows: usize,
  codes: usize,
  count: i32,
  n: i32,
  bits: i32,
  stride: i32,
  bytes: i32,
  factor: f32,
  zero: f32,
  third: i32,
  scratch: usize
): void {
  while (count > 0) {
    Planes.unpack(scratch, codes, n, bits)
    const scale = load<f32>(codes + bytes) * factor
    const offset = third ? load<f32>(codes + bytes, 8) * factor : scale * zero
    const end = scratch + n
    let p = scratch
    do {
      store<f32>(rows, offset + scale * <f32>load<u8>(p))
      rows += 4
      p++
    } while (p < end)
    codes += stride
    count--
  }
}

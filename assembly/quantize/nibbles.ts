/**
 * dst: u8[ceil(n / 2)] of src: u8[n]: element 2i in the low nibble, 2i + 1 in the high one; a missing last nibble is 0.
 */
export function packNibbles(dst: usize, src: usize, n: i32): void {
  const end = src + n
  const low = i16x8.splat(0x000f)
  const high = i16x8.splat(0x00f0)
  while (src + 32 <= end) {
    const a = v128.load(src)
    const b = v128.load(src, 16)
    v128.store(
      dst,
      i8x16.narrow_i16x8_u(
        v128.or(v128.and(a, low), v128.and(i16x8.shr_u(a, 4), high)),
        v128.or(v128.and(b, low), v128.and(i16x8.shr_u(b, 4), high))
      )
    )
    dst += 16
    src += 32
  }
  while (src + 2 <= end) {
    store<u8>(dst, (load<u8>(src) & 15) | (load<u8>(src, 1) << 4))
    dst++
    src += 2
  }
  if (src < end) store<u8>(dst, load<u8>(src) & 15)
}

/** dst: u8[n] of src: u8[ceil(n / 2)]; signed: two's complement nibbles to bytes. */
export function unpackNibbles(dst: usize, src: usize, n: i32, signed: i32): void {
  const end = dst + n
  const flip: u8 = signed ? 8 : 0
  const mask = i8x16.splat(15)
  const vf = i8x16.splat(<i8>flip)
  while (dst + 32 <= end) {
    const v = v128.load(src)
    // (x ^ 8) - 8 extends the sign of a nibble.
    const a = i8x16.sub(v128.xor(v128.and(v, mask), vf), vf)
    const b = i8x16.sub(v128.xor(i8x16.shr_u(v, 4), vf), vf)
    v128.store(dst, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
    v128.store(dst, v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16)
    dst += 32
    src += 16
  }
  while (dst < end) {
    const v = load<u8>(src)
    store<u8>(dst, ((v & 15) ^ flip) - flip)
    if (dst + 1 < end) store<u8>(dst, ((v >> 4) ^ flip) - flip, 1)
    dst += 2
    src++
  }
}

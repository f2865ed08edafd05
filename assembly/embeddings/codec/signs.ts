/**
 * One bit a coordinate, 1 where it is above 0; the first coordinate is a byte's highest bit, as NumPy's packbits has
 * it.
 */
import { Lanes } from '../../common/lanes'

/** codes: rows of ceil(n / 8) bytes, each xor `flip`, of rows: f32[count][n]. */
export function encodeSigns(codes: usize, rows: usize, count: i32, n: i32, flip: i32): void {
  const zero = f32x4.splat(0)
  const both = <u16>(flip | (flip << 8))
  while (count > 0) {
    const end = rows + ((<usize>n) << 2)
    while (rows + 64 <= end) {
      const masks = Lanes.narrowMasks(
        f32x4.gt(v128.load(rows), zero),
        f32x4.gt(v128.load(rows, 16), zero),
        f32x4.gt(v128.load(rows, 32), zero),
        f32x4.gt(v128.load(rows, 48), zero)
      )
      const turned = v128.shuffle<u8>(masks, masks, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8)
      store<u16>(codes, (<u16>i8x16.bitmask(turned)) ^ both)
      codes += 2
      rows += 64
    }
    while (rows < end) {
      let byte: u32 = 0
      let bit: u32 = 0x80
      do {
        if (load<f32>(rows) > 0) byte |= bit
        bit >>= 1
        rows += 4
      } while (bit && rows < end)
      store<u8>(codes, <u8>(byte ^ (<u32>flip)))
      codes++
    }
    count--
  }
}

/** rows: f32[count][n], level where the bit is 1, else -level. */
export function decodeSigns(rows: usize, codes: usize, count: i32, n: i32, flip: i32, level: f32): void {
  while (count > 0) {
    const end = rows + ((<usize>n) << 2)
    do {
      const byte = (<u32>load<u8>(codes)) ^ (<u32>flip)
      let bit: u32 = 0x80
      do {
        store<f32>(rows, byte & bit ? level : -level)
        bit >>= 1
        rows += 4
      } while (bit && rows < end)
      codes++
    } while (rows < end)
    count--
  }
}

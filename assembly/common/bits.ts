/** dst: u8[ceil(n / 8)], least significant bit first, from src: u8[n] whose top bits say yes or no. */
export function packBits(dst: usize, src: usize, n: i32): void {
  const end = src + n
  while (src + 16 <= end) {
    store<u16>(dst, <u16>i8x16.bitmask(v128.load(src)))
    dst += 2
    src += 16
  }
  while (src < end) {
    let byte: u32 = 0
    let bit: u32 = 0
    do {
      byte |= ((<u32>load<u8>(src)) >> 7) << bit
      src++
      bit++
    } while (bit < 8 && src < end)
    store<u8>(dst, <u8>byte)
    dst++
  }
}

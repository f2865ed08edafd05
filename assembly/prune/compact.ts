/** Sparse storage: the kept elements side by side beside the bitmask. */
class Compact {
  @inline static gather<T>(dst: usize, src: usize, bits: usize, n: i32): usize {
    const start = dst
    const size = sizeof<T>()
    const end = src + <usize>n * size
    let byte: u32 = 0
    let bit: u32 = 8
    while (src < end) {
      if (bit == 8) {
        byte = load<u8>(bits)
        bits++
        bit = 0
      }
      store<T>(dst, load<T>(src))
      dst += size & -(<usize>((byte >> bit) & 1))
      bit++
      src += size
    }
    return (dst - start) / size
  }

  @inline static scatter<T>(dst: usize, src: usize, bits: usize, n: i32, rest: T): usize {
    const start = src
    const size = sizeof<T>()
    const end = dst + <usize>n * size
    let byte: u32 = 0
    let bit: u32 = 8
    while (dst < end) {
      if (bit == 8) {
        byte = load<u8>(bits)
        bits++
        bit = 0
      }
      const kept = (byte >> bit) & 1
      store<T>(dst, kept ? load<T>(src) : rest)
      src += size & -(<usize>kept)
      bit++
      dst += size
    }
    return (src - start) / size
  }
}

/**
 * dst: the elements of src (n of `size` 1, 2 or 4 bytes) whose bit is 1, in order; returns how many.
 * dst needs room for n elements: every one is stored before it is known to stay.
 */
export function gatherKept(dst: usize, src: usize, bits: usize, n: i32, size: i32): usize {
  if (size == 1) return Compact.gather<u8>(dst, src, bits, n)
  if (size == 2) return Compact.gather<u16>(dst, src, bits, n)
  return Compact.gather<u32>(dst, src, bits, n)
}

/** The inverse: dst (n elements) from src where the bit is 1, `rest` elsewhere; returns how many of src were used. */
export function scatterKept(dst: usize, src: usize, bits: usize, n: i32, size: i32, rest: i32): usize {
  if (size == 1) return Compact.scatter<u8>(dst, src, bits, n, <u8>rest)
  if (size == 2) return Compact.scatter<u16>(dst, src, bits, n, <u16>rest)
  return Compact.scatter<u32>(dst, src, bits, n, <u32>rest)
}

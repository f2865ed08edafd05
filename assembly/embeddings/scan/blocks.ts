/**
 * Rows of codes to blocks of 32 and back. A block's part holds its rows as columns or as strips. Columns (byte b of all
 * rows together: u8[bytes][32]) are for scans with a row a lane. Strips are one row after the other. `stride` is the
 * distance of blocks; `lane` the row's number in the first one.
 */
class Columns {
  /** One perfect shuffle of 16 rows of 16 bytes; four of them transpose. step: the distance of what is stored. */
  @inline static shuffle(to: usize, from: usize, step: usize): void {
    const end = from + 128
    do {
      const a = v128.load(from)
      const b = v128.load(from, 128)
      v128.store(to, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
      v128.store(to + step, v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))
      from += 16
      to += step << 1
    } while (from < end)
  }

  /** 16 rows of 16 bytes, `stepFrom` apart, to 16 columns, `stepTo` apart. scratch: 512 bytes. */
  @inline static transpose(to: usize, stepTo: usize, from: usize, stepFrom: usize, scratch: usize): void {
    const half = scratch + 256
    let p = scratch
    do {
      v128.store(p, v128.load(from))
      p += 16
      from += stepFrom
    } while (p < half)
    Columns.shuffle(half, scratch, 16)
    Columns.shuffle(scratch, half, 16)
    Columns.shuffle(half, scratch, 16)
    Columns.shuffle(to, half, stepTo)
  }
}

/**
 * to: columns of blocks, from: u8[count][rowBytes], whose first `bytes` are taken. bytes, count > 0. scratch: 512
 * bytes.
 */
export function placeColumns(
  to: usize,
  stride: usize,
  lane: usize,
  from: usize,
  rowBytes: usize,
  bytes: usize,
  count: usize,
  scratch: usize
): void {
  do {
    if (lane == 0 && count >= 32 && bytes >= 16) {
      let column: usize = 0
      do {
        // The last sixteen columns overlap those before them where bytes are not a multiple of 16.
        const at = min<usize>(column, bytes - 16)
        const block = to + (at << 5)
        Columns.transpose(block, 32, from + at, rowBytes, scratch)
        Columns.transpose(block + 16, 32, from + (rowBytes << 4) + at, rowBytes, scratch)
        column += 16
      } while (column < bytes)
      from += rowBytes << 5
      to += stride
      count -= 32
    } else {
      let p = from
      let q = to + lane
      const end = from + bytes
      do {
        store<u8>(q, load<u8>(p))
        p++
        q += 32
      } while (p < end)
      from += rowBytes
      count--
      lane = (lane + 1) & 31
      if (lane == 0) to += stride
    }
  } while (count > 0)
}

/** The inverse of placeColumns; to: u8[count][rowBytes]. */
export function takeColumnsOf(
  to: usize,
  rowBytes: usize,
  from: usize,
  stride: usize,
  lane: usize,
  bytes: usize,
  count: usize,
  scratch: usize
): void {
  do {
    if (lane == 0 && count >= 32 && bytes >= 16) {
      let column: usize = 0
      do {
        const at = min<usize>(column, bytes - 16)
        const block = from + (at << 5)
        Columns.transpose(to + at, rowBytes, block, 32, scratch)
        Columns.transpose(to + (rowBytes << 4) + at, rowBytes, block + 16, 32, scratch)
        column += 16
      } while (column < bytes)
      to += rowBytes << 5
      from += stride
      count -= 32
    } else {
      let p = to
      let q = from + lane
      const end = to + bytes
      do {
        store<u8>(p, load<u8>(q))
        p++
        q += 32
      } while (p < end)
      to += rowBytes
      count--
      lane = (lane + 1) & 31
      if (lane == 0) from += stride
    }
  } while (count > 0)
}

class Strip {
  /** `bytes` bytes, xor a pattern of two. */
  @inline static copy(to: usize, from: usize, bytes: usize, flip: i32): void {
    const end = from + bytes
    const pattern = i16x8.splat(<i16>flip)
    while (from + 16 <= end) {
      v128.store(to, v128.xor(v128.load(from), pattern))
      to += 16
      from += 16
    }
    while (from + 2 <= end) {
      store<u16>(to, load<u16>(from) ^ (<u16>flip))
      to += 2
      from += 2
    }
    if (from < end) store<u8>(to, load<u8>(from) ^ (<u8>flip))
  }
}

/**
 * to: strips of blocks, `step` bytes apart in one; from: rows, `rowBytes` apart. Pairs of bytes are xored with `flip`.
 * bytes, count > 0.
 */
export function placeStrips(
  to: usize,
  stride: usize,
  step: usize,
  lane: usize,
  from: usize,
  rowBytes: usize,
  bytes: usize,
  count: usize,
  flip: i32
): void {
  do {
    Strip.copy(to + step * lane, from, bytes, flip)
    from += rowBytes
    lane = (lane + 1) & 31
    if (lane == 0) to += stride
  } while (--count > 0)
}

/** The inverse of placeStrips. */
export function takeStrips(
  to: usize,
  rowBytes: usize,
  from: usize,
  stride: usize,
  step: usize,
  lane: usize,
  bytes: usize,
  count: usize,
  flip: i32
): void {
  do {
    Strip.copy(to, from + step * lane, bytes, flip)
    to += rowBytes
    lane = (lane + 1) & 31
    if (lane == 0) from += stride
  } while (--count > 0)
}

/** p: u8[bytes] of zeros; bytes: a multiple of 16, > 0 */
export function clearBytes(p: usize, bytes: usize): void {
  memory.fill(p, 0, bytes)
}

/**
 * Panels for products of matrices: `width` numbers of each step along k stand together, so that the product reads
 * straight on. A panel's rows (columns) beyond the end are zeros. Widths are multiples of 16 bytes.
 */
class Pack {
  /** One panel from rows that run along k. */
  @inline static along<T>(dst: usize, src: usize, rows: i32, width: i32, k: i32, stride: usize): void {
    const step = <usize>width * sizeof<T>()
    let r = 0
    do {
      let to = dst + <usize>r * sizeof<T>()
      const end = to + <usize>k * step
      let from = src
      if (r < rows) {
        while (to < end) {
          store<T>(to, load<T>(from))
          to += step
          from += sizeof<T>()
        }
      } else {
        while (to < end) {
          store<T>(to, <T>0)
          to += step
        }
      }
      src += stride
    } while (++r < width)
  }

  /** Four whole f32 rows to the places of four in a panel whose steps are `step` bytes; the last k mod 4 are left. */
  @inline static transposedF32(dst: usize, src: usize, k: i32, stride: usize, step: usize): void {
    let a = src
    let b = a + stride
    let c = b + stride
    let d = c + stride
    const end = a + (((<usize>k) >> 2) << 4)
    while (a < end) {
      const p = v128.load(a)
      const q = v128.load(b)
      const r = v128.load(c)
      const s = v128.load(d)
      const t0 = v128.shuffle<f32>(p, q, 0, 4, 1, 5)
      const t1 = v128.shuffle<f32>(p, q, 2, 6, 3, 7)
      const t2 = v128.shuffle<f32>(r, s, 0, 4, 1, 5)
      const t3 = v128.shuffle<f32>(r, s, 2, 6, 3, 7)
      v128.store(dst, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5))
      v128.store(dst + step, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7))
      v128.store(dst + 2 * step, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5))
      v128.store(dst + 3 * step, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7))
      dst += step << 2
      a += 16
      b += 16
      c += 16
      d += 16
    }
  }

  /** The same of four f64 rows; the last k mod 2 are left. */
  @inline static transposedF64(dst: usize, src: usize, k: i32, stride: usize, step: usize): void {
    let a = src
    let b = a + stride
    let c = b + stride
    let d = c + stride
    const end = a + (((<usize>k) >> 1) << 4)
    while (a < end) {
      const p = v128.load(a)
      const q = v128.load(b)
      const r = v128.load(c)
      const s = v128.load(d)
      v128.store(dst, v128.shuffle<f64>(p, q, 0, 2))
      v128.store(dst, v128.shuffle<f64>(r, s, 0, 2), 16)
      v128.store(dst + step, v128.shuffle<f64>(p, q, 1, 3))
      v128.store(dst + step, v128.shuffle<f64>(r, s, 1, 3), 16)
      dst += step << 1
      a += 16
      b += 16
      c += 16
      d += 16
    }
  }

  /** All panels from rows that run along k, four whole rows at a time. */
  @inline static allAlong<T>(dst: usize, src: usize, count: i32, width: i32, k: i32, ld: i32): void {
    const stride = <usize>ld * sizeof<T>()
    const step = <usize>width * sizeof<T>()
    const whole = sizeof<T>() == 4 ? k & ~3 : k & ~1
    while (count > 0) {
      if (count >= width) {
        let r: usize = 0
        do {
          const to = dst + r * sizeof<T>()
          if (sizeof<T>() == 4) Pack.transposedF32(to, src + r * stride, k, stride, step)
          else Pack.transposedF64(to, src + r * stride, k, stride, step)
          r += 4
        } while (r < <usize>width)
        Pack.along<T>(dst + <usize>whole * step, src + <usize>whole * sizeof<T>(), width, width, k - whole, stride)
      } else Pack.along<T>(dst, src, count, width, k, stride)
      dst += <usize>k * step
      src += stride * width
      count -= width
    }
  }

  /** All panels from rows that run across them: rows of `ld` numbers, of which `count` are taken, k of them. */
  @inline static across<T>(dst: usize, src: usize, count: i32, width: i32, k: i32, ld: i32): void {
    const stride = <usize>ld * sizeof<T>()
    const bytes = <usize>width * sizeof<T>()
    const panel = bytes * k
    if (bytes <= 32) {
      // 128 bytes of a row to four panels or eight: rows far apart are fetched by whole lines, two at a time.
      const wide = bytes == 32
      const second: usize = wide ? 16 : panel
      const third = wide ? panel : panel << 1
      const fourth = second + third
      const half = wide ? panel << 1 : panel << 2
      const numbers = <i32>(128 / sizeof<T>())
      while (count >= numbers) {
        let from = src
        let to = dst
        let left = k
        while (left > 0) {
          v128.store(to, v128.load(from))
          v128.store(to + second, v128.load(from, 16))
          v128.store(to + third, v128.load(from, 32))
          v128.store(to + fourth, v128.load(from, 48))
          const other = to + half
          v128.store(other, v128.load(from, 64))
          v128.store(other + second, v128.load(from, 80))
          v128.store(other + third, v128.load(from, 96))
          v128.store(other + fourth, v128.load(from, 112))
          to += bytes
          from += stride
          left--
        }
        dst += half << 1
        src += 128
        count -= numbers
      }
    }
    while (count > 0) {
      let from = src
      let left = k
      if (count >= width) {
        while (left > 0) {
          let b: usize = 0
          do {
            v128.store(dst + b, v128.load(from + b))
            b += 16
          } while (b < bytes)
          dst += bytes
          from += stride
          left--
        }
      } else {
        while (left > 0) {
          let c = 0
          do {
            const at = <usize>c * sizeof<T>()
            store<T>(dst + at, c < count ? load<T>(from + at) : <T>0)
          } while (++c < width)
          dst += bytes
          from += stride
          left--
        }
      }
      src += bytes
      count -= width
    }
  }
}

/** dst: f32[ceil(count / width)][k][width] from src: f32[count][ld], whose rows run along k. */
export function packAlongF32(dst: usize, src: usize, count: i32, width: i32, k: i32, ld: i32): void {
  Pack.allAlong<f32>(dst, src, count, width, k, ld)
}

/** dst: f32[ceil(count / width)][k][width] from src: f32[k][ld], whose rows run across the panels. */
export function packAcrossF32(dst: usize, src: usize, count: i32, width: i32, k: i32, ld: i32): void {
  Pack.across<f32>(dst, src, count, width, k, ld)
}

/** As packAlongF32, for f64; widths are multiples of 4. */
export function packAlongF64(dst: usize, src: usize, count: i32, width: i32, k: i32, ld: i32): void {
  Pack.allAlong<f64>(dst, src, count, width, k, ld)
}

/** As packAcrossF32, for f64. */
export function packAcrossF64(dst: usize, src: usize, count: i32, width: i32, k: i32, ld: i32): void {
  Pack.across<f64>(dst, src, count, width, k, ld)
}

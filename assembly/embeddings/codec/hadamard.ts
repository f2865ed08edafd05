/** Walsh-Hadamard transforms of f32 in place, unscaled, of lengths that are powers of two. */

/** Transforms of whole vectors work on so many elements at least. */
export const SIXTEEN: i32 = 16

export class Hadamard {
  /**
   * Sixteen floats: radix 4, a 4x4 transposition, radix 4, and not transposed back: the two commute, so that the
   * transform stays symmetric.
   */
  @inline static sixteen(v0: v128, v1: v128, v2: v128, v3: v128, to: usize): void {
    let a = f32x4.add(v0, v1)
    let b = f32x4.sub(v0, v1)
    let c = f32x4.add(v2, v3)
    let d = f32x4.sub(v2, v3)
    v0 = f32x4.add(a, c)
    v1 = f32x4.add(b, d)
    v2 = f32x4.sub(a, c)
    v3 = f32x4.sub(b, d)
    a = v128.shuffle<i32>(v0, v1, 0, 4, 1, 5)
    b = v128.shuffle<i32>(v0, v1, 2, 6, 3, 7)
    c = v128.shuffle<i32>(v2, v3, 0, 4, 1, 5)
    d = v128.shuffle<i32>(v2, v3, 2, 6, 3, 7)
    v0 = v128.shuffle<i32>(a, c, 0, 1, 4, 5)
    v1 = v128.shuffle<i32>(a, c, 2, 3, 6, 7)
    v2 = v128.shuffle<i32>(b, d, 0, 1, 4, 5)
    v3 = v128.shuffle<i32>(b, d, 2, 3, 6, 7)
    a = f32x4.add(v0, v1)
    b = f32x4.sub(v0, v1)
    c = f32x4.add(v2, v3)
    d = f32x4.sub(v2, v3)
    v128.store(to, f32x4.add(a, c))
    v128.store(to, f32x4.add(b, d), 16)
    v128.store(to, f32x4.sub(a, c), 32)
    v128.store(to, f32x4.sub(b, d), 48)
  }

  /** Three stages over `bytes` bytes, the first of elements `step` bytes apart. */
  @inline static radix8(p: usize, bytes: usize, step: usize): void {
    const end = p + bytes
    do {
      const run = p + step
      do {
        const q = p + 4 * step
        const x0 = v128.load(p)
        const x1 = v128.load(p + step)
        const x2 = v128.load(p + 2 * step)
        const x3 = v128.load(p + 3 * step)
        const x4 = v128.load(q)
        const x5 = v128.load(q + step)
        const x6 = v128.load(q + 2 * step)
        const x7 = v128.load(q + 3 * step)
        const a0 = f32x4.add(x0, x4)
        const a1 = f32x4.add(x1, x5)
        const a2 = f32x4.add(x2, x6)
        const a3 = f32x4.add(x3, x7)
        const b0 = f32x4.sub(x0, x4)
        const b1 = f32x4.sub(x1, x5)
        const b2 = f32x4.sub(x2, x6)
        const b3 = f32x4.sub(x3, x7)
        const c0 = f32x4.add(a0, a2)
        const c1 = f32x4.add(a1, a3)
        const c2 = f32x4.sub(a0, a2)
        const c3 = f32x4.sub(a1, a3)
        const d0 = f32x4.add(b0, b2)
        const d1 = f32x4.add(b1, b3)
        const d2 = f32x4.sub(b0, b2)
        const d3 = f32x4.sub(b1, b3)
        v128.store(p, f32x4.add(c0, c1))
        v128.store(p + step, f32x4.sub(c0, c1))
        v128.store(p + 2 * step, f32x4.add(c2, c3))
        v128.store(p + 3 * step, f32x4.sub(c2, c3))
        v128.store(q, f32x4.add(d0, d1))
        v128.store(q + step, f32x4.sub(d0, d1))
        v128.store(q + 2 * step, f32x4.add(d2, d3))
        v128.store(q + 3 * step, f32x4.sub(d2, d3))
        p += 16
      } while (p < run)
      p += 7 * step
    } while (p < end)
  }

  @inline static radix4(p: usize, bytes: usize, step: usize): void {
    const end = p + bytes
    do {
      const run = p + step
      do {
        const x0 = v128.load(p)
        const x1 = v128.load(p + step)
        const x2 = v128.load(p + 2 * step)
        const x3 = v128.load(p + 3 * step)
        const a0 = f32x4.add(x0, x2)
        const a1 = f32x4.add(x1, x3)
        const b0 = f32x4.sub(x0, x2)
        const b1 = f32x4.sub(x1, x3)
        v128.store(p, f32x4.add(a0, a1))
        v128.store(p + step, f32x4.sub(a0, a1))
        v128.store(p + 2 * step, f32x4.add(b0, b1))
        v128.store(p + 3 * step, f32x4.sub(b0, b1))
        p += 16
      } while (p < run)
      p += 3 * step
    } while (p < end)
  }

  @inline static radix2(p: usize, bytes: usize, step: usize): void {
    const end = p + bytes
    do {
      const run = p + step
      do {
        const x0 = v128.load(p)
        const x1 = v128.load(p + step)
        v128.store(p, f32x4.add(x0, x1))
        v128.store(p + step, f32x4.sub(x0, x1))
        p += 16
      } while (p < run)
      p += step
    } while (p < end)
  }
}

/** The stages of a transform over `bytes` bytes (a power of two, at least 64) after the first four. */
export function laterStages(x: usize, bytes: usize): void {
  let step: usize = 64
  while (step < bytes) {
    // Eight at a time, unless that leaves a single stage: two of four read less than one of eight and one of two.
    if (step * 8 <= bytes && step * 16 != bytes) {
      Hadamard.radix8(x, bytes, step)
      step *= 8
    } else if (step * 4 <= bytes) {
      Hadamard.radix4(x, bytes, step)
      step *= 4
    } else {
      Hadamard.radix2(x, bytes, step)
      step *= 2
    }
  }
}

/** x: f32[p] transformed, unscaled; p any power of two. */
export function transform(x: usize, p: i32): void {
  const bytes = (<usize>p) << 2
  const end = x + bytes
  if (p >= SIXTEEN) {
    let y = x
    do {
      Hadamard.sixteen(v128.load(y), v128.load(y, 16), v128.load(y, 32), v128.load(y, 48), y)
      y += 64
    } while (y < end)
    laterStages(x, bytes)
    return
  }
  for (let step: usize = 4; step < bytes; step <<= 1) {
    for (let y = x; y < end; y += 2 * step) {
      for (let z = y; z < y + step; z += 4) {
        const a = load<f32>(z)
        const b = load<f32>(z + step)
        store<f32>(z, a + b)
        store<f32>(z + step, a - b)
      }
    }
  }
}

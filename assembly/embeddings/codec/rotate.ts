/**
 * Random rotations of rows of any length in O(d log d): random signs and Walsh-Hadamard transforms (N. Ailon and B.
 * Chazelle, SIAM J. Comput. 39, 2009), in two rounds, with fresh signs before each transform: with the same ones, H D
 * and D H partly cancel.
 *
 * Where d is p or 3 p, p a power of two: each block of p is transformed; three blocks are then reflected, x - (2/3)(sum
 * of the blocks), which is orthogonal. Else p is the greatest power of two below d: the first p elements are
 * transformed, then the last p; between the rounds the halves of the row are mixed, (a + b) / sqrt 2 and (a - b) / sqrt
 * 2. First and last may share a single element.
 *
 * Signs come times the scale of their transform, from 1/p in all for blocks to 1/sqrt(p) a transform. sqrt(1/2) and 2/3
 * are each a product of two f32 that is right to 1e-11. The nearest f32 alone would make rows longer or shorter by 2e-8
 * a step.
 */
import { Hadamard, laterStages, SIXTEEN, transform } from './hadamard'

const HALF_SIGNS: f32 = 1.0003691911697388
const HALF_REST: f32 = 0.7068458199501038
const THIRDS_FIRST: f32 = 1.000000238418579
const THIRDS_REST: f32 = 0.6666665077209473

/** What comes before a transform: signs, and the rest of its scale. */
class Signed {
  /** x: f32[n], times signs and `rest`. */
  @inline static multiply(x: usize, signs: usize, n: i32, rest: f32): void {
    const end = x + ((<usize>n) << 2)
    do {
      store<f32>(x, load<f32>(x) * load<f32>(signs) * rest)
      x += 4
      signs += 4
    } while (x < end)
  }

  /** to = from times signs and `rest`, the first four stages of it; p, a multiple of 16. */
  @inline static first(x: usize, signs: usize, p: i32, rest: f32): void {
    const end = x + ((<usize>p) << 2)
    const vr = f32x4.splat(rest)
    do {
      Hadamard.sixteen(
        f32x4.mul(f32x4.mul(v128.load(x), v128.load(signs)), vr),
        f32x4.mul(f32x4.mul(v128.load(x, 16), v128.load(signs, 16)), vr),
        f32x4.mul(f32x4.mul(v128.load(x, 32), v128.load(signs, 32)), vr),
        f32x4.mul(f32x4.mul(v128.load(x, 48), v128.load(signs, 48)), vr),
        x
      )
      x += 64
      signs += 64
    } while (x < end)
  }

  /** What each transform is multiplied with beside its signs, where it has a scale of its own. */
  @inline static rest(p: i32): f32 {
    return ctz(p) & 1 ? HALF_REST : 1
  }
}

/** x: f32[3][p] less 2/3 of the sum of its rows. */
function reflectThirds(x: usize, p: i32): void {
  const block = (<usize>p) << 2
  const end = x + block
  if (p >= 4) {
    const first = f32x4.splat(THIRDS_FIRST)
    const rest = f32x4.splat(THIRDS_REST)
    do {
      const a = v128.load(x)
      const b = v128.load(x + block)
      const c = v128.load(x + 2 * block)
      const s = f32x4.mul(f32x4.mul(f32x4.add(f32x4.add(a, b), c), first), rest)
      v128.store(x, f32x4.sub(a, s))
      v128.store(x + block, f32x4.sub(b, s))
      v128.store(x + 2 * block, f32x4.sub(c, s))
      x += 16
    } while (x < end)
    return
  }
  do {
    const a = load<f32>(x)
    const b = load<f32>(x + block)
    const c = load<f32>(x + 2 * block)
    const s = (a + b + c) * THIRDS_FIRST * THIRDS_REST
    store<f32>(x, a - s)
    store<f32>(x + block, b - s)
    store<f32>(x + 2 * block, c - s)
    x += 4
  } while (x < end)
}

/** The first half of x: f32[d] and the last one, mixed; the element between, where d is odd, stays. */
function mixHalves(x: usize, d: i32): void {
  let n = d >> 1
  let y = x + ((<usize>(d - n)) << 2)
  const first = f32x4.splat(HALF_SIGNS)
  const rest = f32x4.splat(HALF_REST)
  while (n >= 4) {
    const a = f32x4.mul(f32x4.mul(v128.load(x), first), rest)
    const b = f32x4.mul(f32x4.mul(v128.load(y), first), rest)
    v128.store(x, f32x4.add(a, b))
    v128.store(y, f32x4.sub(a, b))
    x += 16
    y += 16
    n -= 4
  }
  while (n > 0) {
    const a = load<f32>(x) * HALF_SIGNS * HALF_REST
    const b = load<f32>(y) * HALF_SIGNS * HALF_REST
    store<f32>(x, a + b)
    store<f32>(y, a - b)
    x += 4
    y += 4
    n--
  }
}

/** One step of a round, for short rows: signs, transform. */
function step(x: usize, signs: usize, n: i32, p: i32, rest: f32): void {
  Signed.multiply(x, signs, n, rest)
  const end = x + ((<usize>n) << 2)
  do {
    transform(x, p)
    x += (<usize>p) << 2
  } while (x < end)
}

/** A row of fewer than 16 elements. */
function rotateShort(to: usize, from: usize, centroid: usize, signs: usize, d: i32, p: i32): f32 {
  const end = to + ((<usize>d) << 2)
  let norm: f32 = 0
  for (let y = to; y < end; y += 4) {
    const v = load<f32>(from) - load<f32>(centroid)
    norm += v * v
    store<f32>(y, v)
    from += 4
    centroid += 4
  }
  const length = (<usize>p) << 2
  const rest = Signed.rest(p)
  for (let round = 0; round < 2; round++) {
    if (d == p || d == 3 * p) {
      step(to, signs, d, p, 1)
      if (d != p) reflectThirds(to, p)
      signs += end - to
    } else {
      if (round) mixHalves(to, d)
      step(to, signs, p, p, rest)
      step(end - length, signs + length, p, p, rest)
      signs += 2 * length
    }
  }
  return norm
}

/** The squared length of what is left of a row less a centroid, in two vectors of sums and a tail. */
class Norm {
  @inline static sum(a: v128, b: v128): f32 {
    const v = f32x4.add(a, b)
    return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
  }
}

/**
 * to: f32[d] = R (from - centroid), and its squared length; to may be from. p, and signs (f32[2][d] for blocks, else
 * f32[4][p]), as src/embeddings/rotation.ts plans them.
 */
export function rotateRow(to: usize, from: usize, centroid: usize, signs: usize, d: i32, p: i32): f32 {
  if (p < SIXTEEN) return rotateShort(to, from, centroid, signs, d, p)
  const length = (<usize>p) << 2
  const whole = (<usize>d) << 2
  const blocks = d == p || d == 3 * p
  const rest = f32x4.splat(blocks ? 1 : Signed.rest(p))
  let n0 = f32x4.splat(0)
  let n1 = n0
  let y = to
  let end = to + (blocks ? whole : length)
  do {
    const v0 = f32x4.sub(v128.load(from), v128.load(centroid))
    const v1 = f32x4.sub(v128.load(from, 16), v128.load(centroid, 16))
    const v2 = f32x4.sub(v128.load(from, 32), v128.load(centroid, 32))
    const v3 = f32x4.sub(v128.load(from, 48), v128.load(centroid, 48))
    n0 = f32x4.add(n0, f32x4.add(f32x4.mul(v0, v0), f32x4.mul(v1, v1)))
    n1 = f32x4.add(n1, f32x4.add(f32x4.mul(v2, v2), f32x4.mul(v3, v3)))
    Hadamard.sixteen(
      f32x4.mul(f32x4.mul(v0, v128.load(signs)), rest),
      f32x4.mul(f32x4.mul(v1, v128.load(signs, 16)), rest),
      f32x4.mul(f32x4.mul(v2, v128.load(signs, 32)), rest),
      f32x4.mul(f32x4.mul(v3, v128.load(signs, 48)), rest),
      y
    )
    from += 64
    centroid += 64
    signs += 64
    y += 64
  } while (y < end)
  if (blocks) {
    laterBlocks(to, d, p)
    Signed.first(to, signs, d, 1)
    laterBlocks(to, d, p)
    return Norm.sum(n0, n1)
  }
  end = to + whole
  let tail: f32 = 0
  while (y + 16 <= end) {
    const v = f32x4.sub(v128.load(from), v128.load(centroid))
    n0 = f32x4.add(n0, f32x4.mul(v, v))
    v128.store(y, v)
    from += 16
    centroid += 16
    y += 16
  }
  while (y < end) {
    const v = load<f32>(from) - load<f32>(centroid)
    tail += v * v
    store<f32>(y, v)
    from += 4
    centroid += 4
    y += 4
  }
  const scale = Signed.rest(p)
  const last = end - length
  laterStages(to, length)
  Signed.first(last, signs, p, scale)
  laterStages(last, length)
  mixHalves(to, d)
  Signed.first(to, signs + length, p, scale)
  laterStages(to, length)
  Signed.first(last, signs + 2 * length, p, scale)
  laterStages(last, length)
  return Norm.sum(n0, n1) + tail
}

function laterBlocks(x: usize, d: i32, p: i32): void {
  const length = (<usize>p) << 2
  laterStages(x, length)
  if (d == p) return
  laterStages(x + length, length)
  laterStages(x + 2 * length, length)
  reflectThirds(x, p)
}

/** to: f32[n][d] = R (from - centroid), rows one after the other; to may be from. */
export function rotateRows(to: usize, from: usize, centroid: usize, signs: usize, n: i32, d: i32, p: i32): void {
  const row = (<usize>d) << 2
  while (n > 0) {
    rotateRow(to, from, centroid, signs, d, p)
    to += row
    from += row
    n--
  }
}

/** x: f32[d] = R^T x: every step is symmetric, and they come in the reverse order. */
export function unrotateRow(x: usize, signs: usize, d: i32, p: i32): void {
  const length = (<usize>p) << 2
  const whole = (<usize>d) << 2
  if (d == p || d == 3 * p) {
    for (let round = 1; round >= 0; round--) {
      if (d != p) reflectThirds(x, p)
      for (let y = x; y < x + whole; y += length) transform(y, p)
      Signed.multiply(x, signs + <usize>round * whole, d, 1)
    }
    return
  }
  const rest = Signed.rest(p)
  const last = x + whole - length
  for (let round = 1; round >= 0; round--) {
    transform(last, p)
    Signed.multiply(last, signs + <usize>(2 * round + 1) * length, p, rest)
    transform(x, p)
    Signed.multiply(x, signs + <usize>(2 * round) * length, p, rest)
    if (round) mixHalves(x, d)
  }
}

/** to: f32[n][d] = R^T from; to may be from. */
export function unrotateRows(to: usize, from: usize, signs: usize, n: i32, d: i32, p: i32): void {
  const row = (<usize>d) << 2
  while (n > 0) {
    if (to != from) memory.copy(to, from, row)
    unrotateRow(to, signs, d, p)
    to += row
    from += row
    n--
  }
}

/**
 * Random numbers that depend on (seed, stream, index) alone, in any order of asking. SplitMix64, whose state is a
 * counter (G. L. Steele, D. Lea and C. H. Flood, Fast splittable pseudorandom number generators, 2014).
 */
const STEP: u64 = 0x9e3779b97f4a7c15

export class Random {
  @inline static mix(z: u64): u64 {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb
    return z ^ (z >> 31)
  }

  /** What the words of one stream of a seed start from. */
  @inline static key(seed: f64, stream: i32): u64 {
    return Random.mix(Random.mix(<u64>seed + STEP) + (<u64>stream + 1) * STEP)
  }

  @inline static word(key: u64, index: u64): u64 {
    return Random.mix(key + (index + 1) * STEP)
  }

  /** Uniform in (-1, 1), a multiple of 2^-52, never 0. */
  @inline static uniform(key: u64, index: u64): f64 {
    return (<f64>(<i64>(Random.word(key, index) >> 11) - 0x10000000000000) + 0.5) * (1.0 / 4503599627370496.0)
  }
}

/** x: f64[n] of 1 and -1, elements [first, first + n) of a stream; seed and first: whole numbers below 2^53. */
export function randomSigns(x: usize, n: i32, seed: f64, stream: i32, first: f64): void {
  const key = Random.key(seed, stream)
  const end = x + ((<usize>n) << 3)
  let index = <u64>first
  let word = Random.word(key, index >> 6)
  while (x < end) {
    store<f64>(x, (word >> (index & 63)) & 1 ? -1 : 1)
    index++
    if (!(index & 63)) word = Random.word(key, index >> 6)
    x += 8
  }
}

/** x: f64[n], uniform in (-1, 1), `step` elements apart; elements [first, first + n) of a stream. */
export function randomUniforms(x: usize, n: i32, step: i32, seed: f64, stream: i32, first: f64): void {
  const key = Random.key(seed, stream)
  let index = <u64>first
  while (n > 0) {
    store<f64>(x, Random.uniform(key, index))
    index++
    x += (<usize>step) << 3
    n--
  }
}

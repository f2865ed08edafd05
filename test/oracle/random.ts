const MASK = (1n << 64n) - 1n
const STEP = 0x9e3779b97f4a7c15n

function mix(z: bigint): bigint {
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
  return z ^ (z >> 31n)
}

/** Number `index` (from 0) of SplitMix64 started from `state`. */
export function splitMix64(state: bigint, index: number): bigint {
  return mix((state + (BigInt(index) + 1n) * STEP) & MASK)
}

/** What a stream of a seed starts from. */
export function streamState(seed: number, stream: number): bigint {
  const first = mix((BigInt(seed) + STEP) & MASK)
  return mix((first + (BigInt(stream) + 1n) * STEP) & MASK)
}

/** 1 or -1: bit index mod 64 of word index / 64, where 1 is negative. */
export function signOracle(seed: number, stream: number, index: number): number {
  const word = splitMix64(streamState(seed, stream), Math.floor(index / 64))
  return (word >> BigInt(index % 64)) & 1n ? -1 : 1
}

/** Uniform in (-1, 1): the midpoints of 2^53 intervals, by the upper 53 bits of a word. */
export function uniformOracle(seed: number, stream: number, index: number): number {
  const bits = splitMix64(streamState(seed, stream), index) >> 11n
  return (Number(bits - (1n << 52n)) + 0.5) * 2 ** -52
}

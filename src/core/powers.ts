/**
 * 2^exponent, for exponents of normal f64, -1022 .. 1023: put together from its bits, since `**` may differ between
 * engines.
 */
export function powerOfTwo(exponent: number): number {
  WORDS[1] = (exponent + 1023) << 20
  return DOUBLE[0]!
}

const DOUBLE = /* @__PURE__ */ new Float64Array(1)
const WORDS = /* @__PURE__ */ wordsOf(DOUBLE)

function wordsOf({ buffer }: Float64Array): Uint32Array {
  return new Uint32Array(buffer)
}

/**
 * Two factors of 2^exponent, which itself may not be representable; beyond 2^2044 or below 2^-2044 all that is f64
 * overflows or vanishes.
 */
export function powers(exponent: number): [number, number] {
  const within = Math.max(-2044, Math.min(2044, exponent))
  const half = Math.floor(within / 2)
  return [powerOfTwo(half), powerOfTwo(within - half)]
}

/** x 2^exponent, whatever that is; 0 or Infinity beyond f64. */
export function timesPower(x: number, exponent: number): number {
  let near = x
  let rest = exponent
  // The last two steps are halves, so that a subnormal result is rounded once.
  for (; Math.abs(rest) > 2044; rest -= Math.sign(rest) * 1000) near *= powerOfTwo(Math.sign(rest) * 1000)
  const [first, second] = powers(rest)
  return near * first * second
}

/** The float16 nearest to x, ties to even, at most 65504. */
export function roundedHalf(x: number): number {
  const size = Math.abs(x)
  if (size >= 65504) return Math.sign(x) * 65504
  const unit = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(size || 1e-30)) - 10))
  const steps = size / unit
  const low = Math.floor(steps)
  const rest = steps - low
  const up = rest > 0.5 || (rest === 0.5 && low % 2 === 1)
  return Math.sign(x) * Math.min(65504, (low + (up ? 1 : 0)) * unit)
}

/** One stage of a residual quantiser's beam search. */

/**
 * Keeps the best `beam` of each row's `parents` candidates and 256 codewords (at most 256 parents). The least squared
 * length of what is left comes first, the lowest candidate and number of equals. products: f32[rows][parents][256] of
 * candidates and codewords, halves: f32[256], minus half the codewords' squares.
 * Written: codes: u8[rows][beam][stages] (up to and with number `stage`), left: f32[rows][beam][d], costs:
 * f32[rows][beam]; read: the same of the stage before, [rows][parents]. kept: scratch, i32[beam].
 */
export function beamStepF32(
  codes: usize,
  left: usize,
  costs: usize,
  codesBefore: usize,
  leftBefore: usize,
  costsBefore: usize,
  products: usize,
  halves: usize,
  codewords: usize,
  rows: i32,
  parents: i32,
  beam: i32,
  d: i32,
  stage: i32,
  stages: i32,
  kept: usize
): void {
  const length = (<usize>d) << 2
  const last = ((<usize>beam) << 2) - 4
  do {
    let count: usize = 0
    let worst: f32 = Infinity
    for (let i = 0; i < parents << 8; i++) {
      const before = load<f32>(costsBefore + ((<usize>(i >> 8)) << 2))
      const product = load<f32>(products + ((<usize>i) << 2)) + load<f32>(halves + ((<usize>(i & 255)) << 2))
      const cost = before - 2 * product
      if (count > last && !(cost < worst)) continue
      let at = min(count, last)
      while (at > 0 && load<f32>(costs + at - 4) > cost) {
        store<f32>(costs + at, load<f32>(costs + at - 4))
        store<i32>(kept + at, load<i32>(kept + at - 4))
        at -= 4
      }
      store<f32>(costs + at, cost)
      store<i32>(kept + at, i)
      if (count <= last) count += 4
      worst = load<f32>(costs + last)
    }
    for (let b: usize = 0; b <= last; b += 4) {
      const chosen = load<i32>(kept + b)
      const parent = <usize>(chosen >> 8)
      memory.copy(codes, codesBefore + parent * stages, stage)
      store<u8>(codes + stage, chosen)
      let from = leftBefore + parent * length
      let c = codewords + <usize>(chosen & 255) * length
      const end = left + length
      do {
        store<f32>(left, load<f32>(from) - load<f32>(c))
        left += 4
        from += 4
        c += 4
      } while (left < end)
      codes += stages
    }
    costs += last + 4
    products += (<usize>parents) << 10
    costsBefore += (<usize>parents) << 2
    leftBefore += <usize>parents * length
    codesBefore += parents * stages
  } while (--rows > 0)
}

/** rows: f32[count][d], less their codewords, f32[..][d], by numbers: u16[count] */
export function subtractByNumberF32(rows: usize, count: i32, d: i32, numbers: usize, codewords: usize): void {
  const length = (<usize>d) << 2
  do {
    let c = codewords + <usize>load<u16>(numbers) * length
    const end = rows + length
    do {
      store<f32>(rows, load<f32>(rows) - load<f32>(c))
      rows += 4
      c += 4
    } while (rows < end)
    numbers += 2
  } while (--count > 0)
}

/**
 * Rotated rows as the codes of a Lloyd-Max quantiser for the normal distribution (S. P. Lloyd, IEEE Trans. Inf. Theory
 * 28, 1982; J. Max, IRE Trans. Inf. Theory 6, 1960). There is one scale a row, as TurboQuant (A. Zandieh et al., arXiv
 * 2504.19874) and EDEN (S. Vargaftik et al., ICML 2022) have it. r = x - c, t = R r, y is the levels of t sqrt(d) /
 * |r|, scale = |r|^2 / <t, y>. So scale <R q, y> is right for q = r.
 *
 * A row: codes, scale f32, bias f32, the centroid's number u8 or u16 where there are several. bias is <c, r> - scale <R
 * c, y>; of squared distances, -2 scale <R c, y> - |r|^2.
 *
 * Calibrated: y = level of (t sqrt(d) / |r| + shift) factor, times 1 / factor, less shift, each of its coordinate.
 * Where that leaves <t, y> below
 * |r| sqrt(d) / 2, scale = 4 <t, y> / d.
 *
 * Of squared distances, c is the centroid less the rows' mean in <R c, y>, as q is in a query's tables.
 */
import { LEVELS } from '../constants'
import { encode1, Grid, Levels } from './levels'
import { rotateRow, unrotateRow } from './rotate'

/** Rows' residuals of squared length below this count as none: their codes' scale could not be made. */
const LEAST: f32 = 1e-30
/** Thresholds are compared in 1/4096 of the unit; 32767 of them are 8, beyond every threshold. */
const UNIT: f32 = 4096
/** Beyond every level, calibrated ones too; so many 1/4096 are still rounded right. */
const FAR: f32 = 256
/** Share of |r| sqrt(d) that <t, y> of calibrated levels has at least, where their scale keeps inner products right. */
const LEAST_PRODUCT: f32 = 0.5

function encodeLevels(
  low: usize,
  high: usize,
  sums: usize,
  t: usize,
  centroid: usize,
  tables: usize,
  n: i32,
  unit: f32,
  bits: i32
): void {
  if (bits == 2) Levels.encode(low, high, sums, t, t, centroid, 0, 0, tables, n, unit, 2, false)
  else if (bits == 3) Levels.encode(low, high, sums, t, t, centroid, 0, 0, tables, n, unit, 3, false)
  else Levels.encode(low, high, sums, t, t, centroid, 0, 0, tables, n, unit, 4, false)
}

function encodeCalibrated(
  low: usize,
  high: usize,
  sums: usize,
  t: usize,
  z: usize,
  centroid: usize,
  factors: usize,
  shifts: usize,
  tables: usize,
  n: i32,
  bits: i32
): void {
  if (bits == 1) Levels.encode(low, high, sums, t, z, centroid, factors, shifts, tables, n, UNIT, 1, true)
  else if (bits == 2) Levels.encode(low, high, sums, t, z, centroid, factors, shifts, tables, n, UNIT, 2, true)
  else if (bits == 3) Levels.encode(low, high, sums, t, z, centroid, factors, shifts, tables, n, UNIT, 3, true)
  else Levels.encode(low, high, sums, t, z, centroid, factors, shifts, tables, n, UNIT, 4, true)
}

/** z: f32[n] = (t scale + shift) / factor, at most FAR. */
function calibrate(z: usize, t: usize, factors: usize, shifts: usize, n: i32, scale: f32): void {
  const end = t + ((<usize>n) << 2)
  const s = f32x4.splat(scale)
  const most = f32x4.splat(FAR)
  const least = f32x4.splat(-FAR)
  do {
    const x = f32x4.div(f32x4.add(f32x4.mul(v128.load(t), s), v128.load(shifts)), v128.load(factors))
    v128.store(z, f32x4.pmax(f32x4.pmin(x, most), least))
    z += 16
    t += 16
    factors += 16
    shifts += 16
  } while (t < end)
}

/** Bytes of a plane of so many bits, and zeros in what its last byte has beyond n codes. */
function trim(plane: usize, n: i32, bits: i32): usize {
  const whole = <usize>((n * bits) >> 3)
  const rest = (n * bits) & 7
  if (!rest) return whole
  const mask: i32 = (1 << rest) - 1
  store<u8>(plane + whole, <u8>((<i32>load<u8>(plane + whole)) & mask))
  return whole + 1
}

/** Bytes of scratch for encodeTurbo and decodeTurbo: rows' elements come in sixteens. */
export function turboWork(d: i32): usize {
  return (((<usize>d + 15) & ~15) << 2) * 4 + 64
}

class Row {
  @inline static padded(d: i32): i32 {
    return (d + 15) & ~15
  }

  /** The number of a row's centroid, of no, one or two bytes. */
  @inline static number(at: usize, bytes: usize): i32 {
    return bytes == 0 ? 0 : bytes == 1 ? load<u8>(at) : load<u16>(at)
  }

  @inline static planes(d: i32, bits: i32): usize {
    return bits == 3 ? <usize>(((2 * d + 7) >> 3) + ((d + 7) >> 3)) : <usize>((bits * d + 7) >> 3)
  }
}

/**
 * codes: u8[n][stride] of rows: f32[n][d]. Centroids' numbers, where they have bytes, are in the codes' rows already;
 * centroids: f32[][d], rotated: f32[][padded d], zeros beyond; signs and p as rotateRow has them; calibration: 0, or
 * f32[2][padded d], 1 / factor and shift. `l2` says for which bias.
 */
export function encodeTurbo(
  codes: usize,
  rows: usize,
  centroids: usize,
  rotated: usize,
  signs: usize,
  calibration: usize,
  tables: usize,
  n: i32,
  d: i32,
  p: i32,
  bits: i32,
  stride: i32,
  l2: i32,
  step: f32,
  work: usize
): void {
  const whole = Row.padded(d)
  const room = (<usize>whole) << 2
  const row = (<usize>d) << 2
  const t = work
  const z = t + room
  const low = z + room
  const high = low + room
  const sums = high + room
  const codeBytes = Row.planes(d, bits)
  const numberBytes = <usize>stride - codeBytes - 8
  const root = sqrt<f32>(<f32>d)
  memory.fill(t, 0, room)
  while (n > 0) {
    const number = <usize>Row.number(codes + codeBytes + 8, numberBytes)
    const centroid = rotated + number * room
    const norm = rotateRow(t, rows, centroids + number * row, signs, d, p)
    const none = !(norm > LEAST)
    const unit: f32 = none ? 0 : root / sqrt<f32>(norm)
    if (calibration) {
      calibrate(z, t, calibration, calibration + room, whole, unit)
      if (bits == 8)
        Grid.encode(low, sums, t, z, centroid, calibration, calibration + room, whole, 1 / step, step, true)
      else encodeCalibrated(low, high, sums, t, z, centroid, calibration, calibration + room, tables, whole, bits)
    } else if (bits == 8) Grid.encode(low, sums, t, t, centroid, 0, 0, whole, unit / step, step, false)
    else if (bits == 1) encode1(low, sums, t, centroid, whole, load<f32>(tables + LEVELS, 4))
    else encodeLevels(low, high, sums, t, centroid, tables, whole, unit * UNIT, bits)
    if (bits == 3) {
      const bytes = trim(low, d, 2)
      memory.copy(codes, low, bytes)
      memory.copy(codes + bytes, high, trim(high, d, 1))
    } else memory.copy(codes, low, trim(low, d, bits))
    const w = load<f32>(sums)
    let scale: f32 = none || !(w > 0) ? 0 : norm / w
    if (calibration && !none) {
      // Of a row unlike those calibrated for, levels may be nearly at right angles to it: that scale would be without
      // bound.
      const least = LEAST_PRODUCT * root * sqrt<f32>(norm)
      if (w > 0 && w < least) scale = w / (LEAST_PRODUCT * LEAST_PRODUCT * <f32>d)
    }
    const shared = scale * load<f32>(sums, 4)
    store<f32>(codes + codeBytes, scale)
    store<f32>(codes + codeBytes, l2 ? -2 * shared - norm : load<f32>(sums, 8) - shared, 4)
    codes += stride
    rows += row
    n--
  }
}

/**
 * rows: f32[n][d] that codes stand for: the nearest to what was coded, on average, which is `shrink` of the scale that
 * keeps products right.
 */
export function decodeTurbo(
  rows: usize,
  codes: usize,
  centroids: usize,
  signs: usize,
  calibration: usize,
  tables: usize,
  n: i32,
  d: i32,
  p: i32,
  bits: i32,
  stride: i32,
  step: f32,
  shrink: f32
): void {
  const row = (<usize>d) << 2
  const codeBytes = Row.planes(d, bits)
  const numberBytes = <usize>stride - codeBytes - 8
  const shifts = calibration + ((<usize>Row.padded(d)) << 2)
  const plane = bits == 3 ? 2 : bits
  const mask = (1 << plane) - 1
  const high = <usize>((2 * d + 7) >> 3)
  while (n > 0) {
    const scale = load<f32>(codes + codeBytes) * shrink
    for (let i = 0; i < d; i++) {
      let y: f32
      if (bits == 8) y = (<f32>load<i8>(codes + <usize>i) + <f32>0.5) * step
      else {
        let code = ((<i32>load<u8>(codes + <usize>((i * plane) >> 3))) >> ((i * plane) & 7)) & mask
        if (bits == 3) code |= (((<i32>load<u8>(codes + high + <usize>(i >> 3))) >> (i & 7)) & 1) << 2
        y = load<f32>(tables + LEVELS + ((<usize>code) << 2))
      }
      const at = (<usize>i) << 2
      if (calibration) y = y * load<f32>(calibration + at) - load<f32>(shifts + at)
      store<f32>(rows + at, y * scale)
    }
    unrotateRow(rows, signs, d, p)
    const centroid = centroids + <usize>Row.number(codes + codeBytes + 8, numberBytes) * row
    for (let at: usize = 0; at < row; at += 4) store<f32>(rows + at, load<f32>(rows + at) + load<f32>(centroid + at))
    codes += stride
    rows += row
    n--
  }
}

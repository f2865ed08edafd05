/**
 * Distillation losses of one row and their gradient, in f64 throughout. KL(p || q) is a small difference of large sums
 * when the student is close to its teacher. f32 exponentials would leave no digits of it. Sums as in wide.ts.
 */
import { Exp } from '../common/exp'
import { Lanes } from '../common/lanes'
import { Log } from '../common/log'
import { ROW_OK, Row } from './softmax'
import { Wide } from './wide'

/** Set in the returned row where the teacher's logits are at fault. */
const TEACHER_ROW: i32 = 1 << 30

class Soft {
  /** One pair of p (t - s), 0 where p is 0 (there t is -Infinity, or its exponential has vanished). */
  @inline static term(p: v128, teacher: v128, student: v128): v128 {
    const product = f64x2.mul(p, f64x2.sub(teacher, student))
    return v128.and(product, f64x2.gt(p, f64x2.splat(0)))
  }

  /**
   * p, q: f64[n] = exp((teacher - teacherTop) * rate), exp((student - studentTop) * rate); sums: f64[3] receives the
   * sum of p, that of q, and that of p ((teacher - teacherTop) - (student - studentTop)).
   */
  @inline static pair(
    p: usize,
    q: usize,
    sums: usize,
    teacher: usize,
    student: usize,
    n: i32,
    teacherTop: f64,
    studentTop: f64,
    rate: f64
  ): void {
    const vt = f64x2.splat(teacherTop)
    const vs = f64x2.splat(studentTop)
    const vr = f64x2.splat(rate)
    const end = teacher + ((<usize>n) << 2)
    let p0 = f64x2.splat(0)
    let p1 = p0
    let q0 = p0
    let q1 = p0
    let c0 = p0
    let c1 = p0
    while (teacher + 16 <= end) {
      const t = v128.load(teacher)
      const s = v128.load(student)
      const ta = f64x2.sub(f64x2.promote_low_f32x4(t), vt)
      const sa = f64x2.sub(f64x2.promote_low_f32x4(s), vs)
      const pa = Exp.f64(f64x2.mul(ta, vr))
      const qa = Exp.f64(f64x2.mul(sa, vr))
      v128.store(p, pa)
      v128.store(q, qa)
      p0 = f64x2.add(p0, pa)
      q0 = f64x2.add(q0, qa)
      c0 = f64x2.add(c0, Soft.term(pa, ta, sa))
      const tb = f64x2.sub(Lanes.promoteHigh(t), vt)
      const sb = f64x2.sub(Lanes.promoteHigh(s), vs)
      const pb = Exp.f64(f64x2.mul(tb, vr))
      const qb = Exp.f64(f64x2.mul(sb, vr))
      v128.store(p, pb, 16)
      v128.store(q, qb, 16)
      p1 = f64x2.add(p1, pb)
      q1 = f64x2.add(q1, qb)
      c1 = f64x2.add(c1, Soft.term(pb, tb, sb))
      p += 32
      q += 32
      teacher += 16
      student += 16
    }
    let pSum = Lanes.sumF64(f64x2.add(p0, p1))
    let qSum = Lanes.sumF64(f64x2.add(q0, q1))
    let cross = Lanes.sumF64(f64x2.add(c0, c1))
    while (teacher < end) {
      const t = <f64>load<f32>(teacher) - teacherTop
      const s = <f64>load<f32>(student) - studentTop
      const y = f64x2.extract_lane(Exp.f64(f64x2.splat(t * rate)), 0)
      const z = f64x2.extract_lane(Exp.f64(f64x2.splat(s * rate)), 0)
      store<f64>(p, y)
      store<f64>(q, z)
      pSum += y
      qSum += z
      if (y > 0) cross += y * (t - s)
      p += 8
      q += 8
      teacher += 4
      student += 4
    }
    store<f64>(sums, pSum)
    store<f64>(sums, qSum, 8)
    store<f64>(sums, cross, 16)
  }
}

/**
 * Rows of KL(softmax(teacher / T) || softmax(student / T)) and of the cross entropy of softmax(student) with labels.
 *
 * divergence, entropy: f64[rows] receive the two terms (0 where the weight is 0); gradient: f32[rows][n] receives
 * klWeight (q - p) + ceWeight (softmax(student) - onehot(label)), both probabilities of the row. Returns -1, or the
 * first row whose logits are empty or bad (plus 2^30 where they are the teacher's), its status at state: i32 as in
 * softmaxF32. labels: i32[rows], checked by the caller. scratch: f64[3 n + 3].
 */
export function distillRows(
  divergence: usize,
  entropy: usize,
  gradient: usize,
  state: usize,
  student: usize,
  teacher: usize,
  labels: usize,
  rows: i32,
  n: i32,
  temperature: f64,
  klWeight: f64,
  ceWeight: f64,
  scratch: usize
): i32 {
  const rate = 1.0 / temperature
  const bytes = (<usize>n) << 2
  const p = scratch
  const q = p + (bytes << 1)
  // At temperature 1 both terms want the same softmax of the student.
  const hard = temperature == 1 && klWeight != 0 ? q : q + (bytes << 1)
  const sums = q + (bytes << 2)
  const squarings = temperature == 2 ? 1 : temperature == 4 ? 2 : temperature == 8 ? 3 : 0
  let row = 0
  while (row < rows) {
    const studentTop = <f64>Row.max(student, n, state)
    if (load<i32>(state) != ROW_OK) return row
    let qScale = 0.0
    let pScale = 0.0
    let hardSum = 0.0
    store<f64>(divergence, 0)
    store<f64>(entropy, 0)
    if (klWeight != 0) {
      const teacherTop = <f64>Row.max(teacher, n, state)
      if (load<i32>(state) != ROW_OK) return row | TEACHER_ROW
      Soft.pair(p, q, sums, teacher, student, n, teacherTop, studentTop, rate)
      const pSum = load<f64>(sums)
      const qSum = load<f64>(sums, 8)
      const cross = load<f64>(sums, 16) * rate
      store<f64>(divergence, max(0.0, cross / pSum + (Log.f64(qSum) - Log.f64(pSum))))
      pScale = klWeight / pSum
      qScale = klWeight / qSum
      hardSum = qSum
    }
    let hardScale = 0.0
    if (ceWeight != 0) {
      if (squarings > 0 && klWeight != 0) hardSum = Wide.square(hard, q, n, squarings)
      else if (hard != q) hardSum = Wide.exp(hard, student, n, studentTop, 1.0, 1)
      const own = <f64>load<f32>(student + ((<usize>load<i32>(labels)) << 2)) - studentTop
      store<f64>(entropy, Log.f64(hardSum) - own)
      hardScale = ceWeight / hardSum
    }
    Gradient.row(gradient, p, q, hard, n, pScale, qScale, hardScale)
    if (ceWeight != 0) {
      // The label's own entry once more in f64, so that it is rounded once.
      const label = <usize>load<i32>(labels)
      let g = load<f64>(hard + (label << 3)) * hardScale - ceWeight
      if (klWeight != 0) g += load<f64>(q + (label << 3)) * qScale - load<f64>(p + (label << 3)) * pScale
      store<f32>(gradient + (label << 2), <f32>g)
    }
    divergence += 8
    entropy += 8
    labels += 4
    student += bytes
    teacher += bytes
    gradient += bytes
    row++
  }
  return -1
}

class Gradient {
  @inline static pair(
    p: usize,
    q: usize,
    hard: usize,
    pScale: v128,
    qScale: v128,
    hardScale: v128,
    soft: i32,
    labelled: i32
  ): v128 {
    let g = f64x2.splat(0)
    if (soft) g = f64x2.sub(f64x2.mul(v128.load(q), qScale), f64x2.mul(v128.load(p), pScale))
    if (labelled) g = f64x2.add(g, f64x2.mul(v128.load(hard), hardScale))
    return f32x4.demote_f64x2_zero(g)
  }

  @inline static loop(
    gradient: usize,
    p: usize,
    q: usize,
    hard: usize,
    n: i32,
    pScale: f64,
    qScale: f64,
    hardScale: f64,
    soft: i32,
    labelled: i32
  ): void {
    const vp = f64x2.splat(pScale)
    const vq = f64x2.splat(qScale)
    const vh = f64x2.splat(hardScale)
    const end = gradient + ((<usize>n) << 2)
    while (gradient + 16 <= end) {
      const a = Gradient.pair(p, q, hard, vp, vq, vh, soft, labelled)
      const b = Gradient.pair(p + 16, q + 16, hard + 16, vp, vq, vh, soft, labelled)
      v128.store(gradient, v128.shuffle<i32>(a, b, 0, 1, 4, 5))
      p += 32
      q += 32
      hard += 32
      gradient += 16
    }
    while (gradient < end) {
      let g = 0.0
      if (soft) g = load<f64>(q) * qScale - load<f64>(p) * pScale
      if (labelled) g += load<f64>(hard) * hardScale
      store<f32>(gradient, <f32>g)
      p += 8
      q += 8
      hard += 8
      gradient += 4
    }
  }

  /** gradient: f32[n] = qScale q - pScale p + hardScale hard, leaving out what has no weight. */
  @inline static row(
    gradient: usize,
    p: usize,
    q: usize,
    hard: usize,
    n: i32,
    pScale: f64,
    qScale: f64,
    hardScale: f64
  ): void {
    if (hardScale == 0) Gradient.loop(gradient, p, q, hard, n, pScale, qScale, hardScale, 1, 0)
    else if (qScale == 0) Gradient.loop(gradient, p, q, hard, n, pScale, qScale, hardScale, 0, 1)
    else Gradient.loop(gradient, p, q, hard, n, pScale, qScale, hardScale, 1, 1)
  }
}

import type { Pointer } from '../core/memory.js'
import type { Kernels } from './engine.js'

/** The kernel adds it to the number of a row whose teacher is at fault (assembly/distill/loss.ts). */
export const TEACHER_ROW = 2 ** 30

/** Rows of logits in linear memory, and where their losses go. */
export interface DistillRows {
  /** f64[rows] */
  readonly divergence: Pointer
  /** f64[rows] */
  readonly entropy: Pointer
  /** f32[rows][classes] */
  readonly gradient: Pointer
  /** i32, the status of the first bad row */
  readonly state: Pointer
  /** f32[rows][classes] */
  readonly student: Pointer
  /** f32[rows][classes]; not read where its weight is 0 */
  readonly teacher: Pointer
  /** i32[rows], class numbers */
  readonly labels: Pointer
  readonly rows: number
  readonly classes: number
  readonly temperature: number
  /** of the divergence in the gradient; 0 skips the term */
  readonly divergenceWeight: number
  /** of the cross entropy in the gradient; 0 skips the term */
  readonly entropyWeight: number
  /** f64[3 classes + 3] */
  readonly scratch: Pointer
}

/**
 * Both terms of the loss and the gradient, for each row.
 *
 * Returns -1, or the number of the first bad row. TEACHER_ROW is added where the teacher's logits are bad.
 */
export function distillRows(kernels: Pick<Kernels, 'distillRows'>, call: DistillRows): number {
  return kernels.distillRows(
    call.divergence,
    call.entropy,
    call.gradient,
    call.state,
    call.student,
    call.teacher,
    call.labels,
    call.rows,
    call.classes,
    call.temperature,
    call.divergenceWeight,
    call.entropyWeight,
    call.scratch
  )
}

import type { Method } from '../quantizer.js'
import { binary, type BinaryOptions } from './binary.js'
import type { Fitter } from './fitter.js'
import { float16, float32 } from './floats.js'
import { int8, type Int8Options } from './int8.js'
import { opq, type OpqOptions } from './opq.js'
import { osq, type OsqOptions } from './osq.js'
import { pq, type PqOptions } from './pq.js'
import { rabitq, type RabitqOptions } from './rabitq.js'
import { residual, type ResidualOptions } from './residual.js'
import { turbo, type TurboOptions } from './turbo.js'

/** What single methods take beside the options of all. */
export interface MethodOptions
  extends
    TurboOptions,
    Omit<Int8Options, 'bits' | 'compat'>,
    Omit<BinaryOptions, 'bits' | 'compat'>,
    Omit<OsqOptions, 'bits'>,
    Omit<PqOptions, 'bits'>,
    Omit<OpqOptions, 'bits'>,
    Omit<RabitqOptions, 'bits'>,
    Omit<ResidualOptions, 'bits'> {
  /** the bytes of another library: of `int8` and `binary` */
  compat?: Int8Options['compat'] | BinaryOptions['compat']
}

/** A fitter of any method, to whom its own options come checked by name. */
export type AnyFitter = Fitter<MethodOptions & { bits: number }>

const FITTERS: Readonly<Record<Method, object>> = {
  turbo,
  rabitq,
  osq,
  int8,
  binary,
  float16,
  float32,
  pq,
  opq,
  residual
}

export function fitterOf(method: Method): AnyFitter {
  return FITTERS[method] as AnyFitter
}

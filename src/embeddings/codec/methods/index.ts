import type { Method, MethodKind, Metric } from '../quantizer.js'
import { binary, type BinaryOptions } from './binary.js'
import { float16 } from './float16.js'
import { float32 } from './float32.js'
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

export const METRICS: readonly Metric[] = ['cosine', 'dot', 'l2']

type Kind = MethodKind<MethodOptions & { bits: number }>

const METHOD_KINDS: readonly object[] = [turbo, rabitq, osq, int8, binary, float16, float32, pq, opq, residual]
const KINDS = METHOD_KINDS as readonly Kind[]

/** The methods that there are. */
export const METHODS: readonly Method[] = KINDS.map(({ method }) => method)

export function methodOf(method: unknown): Kind | undefined {
  return KINDS.find((kind) => kind.method === method)
}

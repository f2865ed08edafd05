import type { Method, OpenMethod } from '../quantizer.js'
import { openBinary } from './binary.js'
import { openFloat16, openFloat32 } from './floats.js'
import { openInt8 } from './int8.js'
import { openOpq } from './opq.js'
import { openOsq } from './osq.js'
import { openPq } from './pq.js'
import { openRabitq } from './rabitq.js'
import { openResidual } from './residual.js'
import { openTurbo } from './turbo.js'

const OPENERS: Readonly<Record<Method, OpenMethod>> = {
  turbo: openTurbo,
  rabitq: openRabitq,
  osq: openOsq,
  int8: openInt8,
  binary: openBinary,
  float16: openFloat16,
  float32: openFloat32,
  pq: openPq,
  opq: openOpq,
  residual: openResidual
}

/** What opens files of this method; undefined for a method that this release does not have. */
export function openerOf(method: unknown): OpenMethod | undefined {
  return Object.hasOwn(OPENERS, method as string) ? OPENERS[method as Method] : undefined
}

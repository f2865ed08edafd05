import type { Kernels as CodecKernels } from '#kernels/embeddings-codec'
import type { Kernels as FitKernels } from '#kernels/embeddings-fit'
import { kernels as scan, type Kernels as ScanKernels } from '#kernels/embeddings-scan'
import type { Engine as EngineOf } from '../core/engine.js'

export { frame } from '../core/engine.js'

/** What the modules of embeddings export together. */
export type Kernels = ScanKernels & CodecKernels & FitKernels

/** The kernels of embeddings. An engine that only searches lacks those of codecs and of fitting (codingEngine.ts). */
export type Engine = EngineOf<Kernels>

/** The kernels that searching takes, rescoring included. */
export const SEARCHING = [scan]

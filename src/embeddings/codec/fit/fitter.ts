import type { Kernels as ProductKernels } from '#kernels/linalg-products'
import { kernels as products } from '#kernels/linalg-products'
import { createEngineOf, type Engine as EngineOf } from '../../../core/engine.js'
import type { Pointer } from '../../../core/memory.js'
import { MODULES, type Kernels } from '../../codingEngine.js'
import type { Method, Metric, Quantizer } from '../quantizer.js'

/** An engine that has products of matrices too: what fitting takes beyond coding. */
export type FitEngine = EngineOf<Kernels & ProductKernels>

/** Such an engine with a memory of its own. */
export function createFitEngine(): FitEngine {
  return createEngineOf([...MODULES, products])
}

/** How much there is to fit a method from. */
export interface SampleShape {
  /** rows of the sample */
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  /** rows of the table that the sample stands for */
  readonly total: number
}

/** What a method is fitted from. */
export interface Sample extends SampleShape {
  /** f32 (count, dimension), as the front gives them; in the engine, for as long as fitting takes */
  readonly rows: Pointer
  readonly seed: number
}

/** How one method is fitted: its options by name, and what it makes of a sample. */
export interface Fitter<Options extends object = object> {
  readonly method: Method
  /** names of the options that it takes beside those of all methods */
  readonly options: readonly string[]
  /** the bits that it has */
  readonly bits: readonly number[]
  /** the bits where none are asked for; default 2 where the method has them, else the first that it has */
  readonly usual?: number
  /**
   * The rows that it can make, for `bytes` to choose from: options (`bits` among them), and bytes of a row.
   * Without it, fitCodec fits one after the other from the most bits down.
   */
  choices?(shape: SampleShape, options: Options): readonly { options: Options; bytes: number }[]
  /** Checks the options (closed by fitCodec already) and fits. Errors begin with 'fitCodec: '. */
  fit(engine: FitEngine, sample: Sample, options: Options): Quantizer
}

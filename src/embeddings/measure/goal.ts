import { typeError } from '../../core/errors.js'
import { checkChoice, checkInteger, checkNumber, checkOptions, checkPositive, show } from '../../core/check.js'
import { checkWatch, type WatchOptions } from '../../core/progress.js'
import { METHODS, type Method, type Metric } from '../codec/quantizer.js'

/** An aborted call throws the signal's reason. The call does not wait, so that only onProgress can abort it. */
export interface ChooseOptions extends WatchOptions {
  /** the least recall; give this or one of the next two */
  recall?: number
  /** the most bytes of a vector's codes, tables not counted */
  bytesPerVector?: number
  /** the most bytes of all codes and tables */
  totalBytes?: number
  /** default 'cosine' */
  metric?: Metric
  /** neighbours of each query; default 10 */
  k?: number
  /** default 0 */
  seed?: number
  /** what is tried; default all but opq and residual, which take long to fit */
  methods?: readonly Method[]
  /**
   * what may be used, 1: the codes alone; default [1, 3], 3 meaning that the best 3 k are rescored by originals that
   * are kept somewhere
   */
  oversampling?: number | readonly number[]
  /**
   * where originals are kept beside the codes for rescoring: their bytes count, and what they lose; default: whole ones
   * elsewhere
   */
  originals?: 'float32' | 'float16' | 'int8'
  /** of the intervals; default .95 */
  confidence?: number
  /** rows of the table that the vectors are a sample of; default as many as there are */
  rows?: number
}

const QUICK = /* @__PURE__ */ METHODS.filter((method) => method !== 'opq')
const OPTIONS = [
  ...['recall', 'bytesPerVector', 'totalBytes', 'metric', 'k', 'seed', 'methods'],
  ...['oversampling', 'originals', 'confidence', 'rows', 'signal', 'onProgress']
]

/** What is looked for: options, checked. */
export interface Goal {
  kind: 'recall' | 'bytesPerVector' | 'totalBytes'
  value: number
  metric: Metric
  k: number
  seed: number
  methods: readonly Method[]
  oversampling: number[]
  originals?: ChooseOptions['originals']
  confidence: number
}

export function checkGoal(options: ChooseOptions): Goal {
  const verb = 'chooseCodec'
  checkOptions(verb, options, OPTIONS)
  checkWatch(verb, options)
  const kinds = (['recall', 'bytesPerVector', 'totalBytes'] as const).filter((name) => options[name] !== undefined)
  const [kind] = kinds
  if (kinds.length !== 1) {
    throw typeError(
      `${verb}: "options" expected one of recall, bytesPerVector, totalBytes, got ${kinds.join(' and ') || 'none of them'}`
    )
  }
  const value =
    kind === 'recall' ? checkNumber(verb, kind, options.recall, 0, 1) : checkPositive(verb, kind!, options[kind!])
  const { methods = QUICK, oversampling = [1, 3], originals } = options
  const formats = ['float32', 'float16', 'int8'] as const
  if (!Array.isArray(methods) || methods.length === 0) {
    throw typeError(`${verb}: "methods" expected a list of ${METHODS.join(', ')}, got ${show(methods)}`)
  }
  const times: unknown = typeof oversampling === 'number' ? [oversampling] : oversampling
  if (!Array.isArray(times) || times.length === 0) {
    throw typeError(`${verb}: "oversampling" expected a number or a list of them, got ${show(oversampling)}`)
  }
  return {
    kind: kind!,
    value,
    metric: checkChoice(verb, 'metric', options.metric ?? 'cosine', ['cosine', 'dot', 'l2']),
    k: checkInteger(verb, 'k', options.k ?? 10, 1, 1000),
    seed: checkInteger(verb, 'seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
    methods: methods.map((method) => checkChoice(verb, 'methods', method, METHODS)),
    oversampling: times.map((each) => checkNumber(verb, 'oversampling', each, 1, 100)).sort((a, b) => a - b),
    originals: originals === undefined ? undefined : checkChoice(verb, 'originals', originals, formats),
    confidence: checkNumber(verb, 'confidence', options.confidence ?? 0.95, 0.5, 0.999999)
  }
}

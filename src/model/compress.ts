import { FormatError, rangeError, isArgumentError } from '../core/errors.js'
import { nonFiniteError, readTensor, sizeOf, type Tensor } from '../core/tensor.js'
import { checkAborted } from '../core/progress.js'
import { compare, type Comparison } from '../linalg/compare.js'
import { lowRank, type LowRank } from '../lowRank/lowRank.js'
import { applyCut, prune, removedCount } from '../prune/prune.js'
import { CountingCut, countMagnitudes, type Cut } from '../prune/select.js'
import { encodeDense, type Part } from './dense.js'
import { isFloat, type Dtype, type FileTensor, type TensorArray } from '../files/dtypes.js'
import { METADATA_KEY } from '../files/entry.js'
import { describeEncoding, partName, type Artefact, type TensorEncoding } from './encoding.js'
import { restoreTensor, type Model, type ModelTensor } from './model.js'
import { checkAxis, checkRecipe, type CompressOptions, type Recipe } from './recipe.js'
import { MemorySink, SafetensorsWriter } from './writer.js'

/** What became of one tensor. */
export interface TensorReport {
  name: string
  shape: number[]
  /** how it is stored now: 'int8, axis 0', 'rank 8, int4', or the dtype of a tensor that was left as it is */
  encoding: string
  /** bytes of the original and of all that is stored for it */
  before: number
  after: number
  /** before / after */
  ratio: number
  /** of what the stored bytes give back; absent where the tensor was left as it is */
  error?: Comparison
  /** why a step was left out */
  note?: string
}

export interface CompressReport {
  tensors: TensorReport[]
  /** bytes of the two files */
  before: number
  after: number
  ratio: number
}

export interface CompressResult {
  report: CompressReport
  /** the file, unless it went to a sink */
  bytes?: Uint8Array<ArrayBuffer>
}

const VERB = 'compressModel'

/**
 * Compresses the tensors of a model, one by one, to a safetensors file that `openModel` reads.
 *
 * Shapes: any; low rank sees more than two dimensions as (shape[0], rest). Defaults: see `CompressOptions`.
 * Method: `lowRank`, then `prune` (of the factors, where there are), then `quantize`. Pruned arrays are stored as a
 * bitmask and the elements kept, where that is smaller. Factors that would be larger than their tensor are not made.
 * Each error is measured on what the stored bytes give back. Memory: one tensor at a time, and a result of up to 64 MiB
 * until it is written. Arrays that do not fill whole words of 8 bytes are kept until the end.
 * Error: in the report, tensor by tensor.
 *
 * @throws TypeError, RangeError for a recipe that is wrong, or whose axis a chosen tensor lacks, before anything is
 * read; RangeError where it could do nothing for any chosen tensor
 * @throws FormatError for a file that is broken ('bad-tensor': numbers that are not finite; the message names the
 * tensor), and for one that is compressed already
 */
export async function compressModel(model: Model, options: CompressOptions): Promise<CompressResult> {
  checkRecipe(VERB, options)
  if (model.compressed) {
    throw new FormatError('bad-tensor', `${VERB}: the file is compressed already; decompress it first`)
  }
  const { sink, signal, onProgress } = options
  const memory = sink ? undefined : new MemorySink()
  const select = options.select ?? ((tensor) => tensor.shape.length > 1 || model.tensors.length === 1)
  const chosen = new Set(model.tensors.filter((t) => isFloat(t.dtype) && sizeOf(t.shape) > 0 && select(t)))
  checkAxis(VERB, options, chosen)
  const cut = await globalCut(model, options, chosen)
  const writer = new SafetensorsWriter(sink ?? memory!, headerRoom(model, chosen, options))
  const order = model.tensors.map(({ name }) => name)
  const artefact: Artefact = { kind: 'model', version: 1, source: { format: model.format }, order, tensors: [] }
  const reports: TensorReport[] = []
  const taken = new Set(model.tensors.map(({ name }) => name))
  const bytes = model.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let bytesDone = 0
  for (const entry of model.tensors) {
    checkAborted(signal)
    const tensor = await model.read(entry.name)
    const { parts, encoding, report } = chosen.has(entry) ? compressTensor(tensor, options, cut) : keep(tensor)
    for (const part of parts) {
      if (part.name !== entry.name && taken.has(part.name)) {
        throw new FormatError(
          'duplicate-name',
          `the file has a tensor named ${JSON.stringify(part.name)}, which ${JSON.stringify(entry.name)} needs`
        )
      }
      await writer.add(part)
    }
    if (encoding) artefact.tensors.push(encoding)
    reports.push(report)
    bytesDone += entry.byteLength
    onProgress?.({ name: entry.name, done: reports.length, total: model.tensors.length, bytesDone, bytes })
  }
  checkAborted(signal)
  if (chosen.size > 0 && artefact.tensors.length === 0) {
    const { name, note } = reports.find((report) => report.note)!
    throw rangeError(`${VERB}: nothing could be compressed; tensor ${JSON.stringify(name)}: ${note}`)
  }
  const after = await writer.finish({ ...model.metadata, [METADATA_KEY]: JSON.stringify(artefact) })
  const report = { tensors: reports, before: model.size, after, ratio: model.size / after }
  return memory ? { report, bytes: memory.bytes() } : { report }
}

/** Room that a header of this model can never exceed, whatever the recipe makes of its tensors. */
function headerRoom(model: Model, chosen: ReadonlySet<ModelTensor>, { lowRank: factored }: Recipe): number {
  const utf8 = new TextEncoder()
  // Our entry is JSON within JSON.
  const lengthOf = (value: unknown): number => utf8.encode(JSON.stringify(JSON.stringify(value))).length
  const perTensor = model.tensors.map((tensor) => {
    // Each name stands in the header, and in our entry's order.
    const entry = 2 * lengthOf(tensor.name) + 17 * tensor.shape.length + 128
    if (!chosen.has(tensor)) return entry
    return (factored ? 8 : 4) * entry + lengthOf(tensor.name) + 2 * 17 * tensor.shape.length + 640
  })
  return Math.ceil((perTensor.reduce((a, b) => a + b, 0) + lengthOf(model.metadata) + 1024) / 4096) * 4096
}

/** Three passes over the chosen tensors, each read again: no two of them are in memory at once. */
async function globalCut(
  model: Model,
  { prune: p, signal }: CompressOptions,
  chosen: Set<ModelTensor>
): Promise<Cut | undefined> {
  if (p?.scope !== 'global' || p.sparsity === undefined) return undefined
  const total = [...chosen].reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const count = removedCount(p.sparsity, total)
  if (count === 0) return { threshold: 0, ties: 0 }
  const counting = new CountingCut(count)
  for (;;) {
    for (const { name } of chosen) {
      checkAborted(signal)
      const tensor = await model.read(name)
      attempt(name, () => counting.add(countMagnitudes([readTensor(VERB, name, tensor)], counting.digits)))
    }
    const cut = counting.next()
    if (cut) return cut
  }
}

interface Compressed {
  parts: Part[]
  encoding?: TensorEncoding
  report: TensorReport
}

function keep({ name, dtype, shape, byteLength, data }: FileTensor): Compressed {
  const report = { name, shape, encoding: dtype, before: byteLength, after: byteLength, ratio: 1 }
  return { parts: [{ name, dtype, shape, data }], report }
}

/** The caller's mistakes have been caught before: what a verb refuses now is the tensor's fault, and needs its name. */
function attempt<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (isArgumentError(error)) {
      throw new FormatError('bad-tensor', `tensor ${JSON.stringify(name)}: ${error.message}`)
    }
    throw error
  }
}

function compressTensor(tensor: FileTensor, recipe: Recipe, cut: Cut | undefined): Compressed {
  return attempt(tensor.name, () => {
    const { name, shape, dtype } = tensor
    const factored = recipe.lowRank ? factor(tensor, recipe.lowRank, recipe.quantize !== undefined) : {}
    const encoding: TensorEncoding = { name, shape, dtype }
    const parts: Part[] = []
    if (factored.result) {
      const { u, v, rank } = factored.result
      const left = dense(partName(name, 'u'), u as Tensor, factorRecipe(recipe), undefined)
      const right = dense(partName(name, 'v'), v as Tensor, factorRecipe(recipe), undefined)
      parts.push(...left.parts, ...right.parts)
      encoding.lowRank = { rank, u: left.encoding, v: right.encoding }
    } else if (recipe.prune || recipe.quantize) {
      const whole = dense(name, tensor as Floats, wholeRecipe(dtype, recipe), cut)
      parts.push(...whole.parts)
      encoding.dense = whole.encoding
    } else {
      const kept = keep(tensor)
      return { ...kept, report: { ...kept.report, ...(factored.note ? { note: factored.note } : {}) } }
    }
    const arrays = new Map<string, TensorArray<ArrayBuffer>>(parts.map((part) => [part.name, part.data]))
    const restored = restoreTensor(encoding, (part) => arrays.get(part)!)
    const after = parts.reduce((sum, { data }) => sum + data.byteLength, 0)
    const report: TensorReport = {
      name,
      shape,
      encoding: describeEncoding(encoding),
      before: tensor.byteLength,
      after,
      ratio: tensor.byteLength / after,
      error: compare(tensor as Floats, restored as Floats)
    }
    if (factored.note) report.note = factored.note
    return { parts, encoding, report }
  })
}

type Floats = Tensor & { dtype?: string }

/** The factors, or why there are none. */
function factor(
  tensor: FileTensor,
  target: NonNullable<Recipe['lowRank']>,
  quantized: boolean
): { result?: LowRank; note?: string } {
  const { shape, data, dtype } = tensor
  if (shape.length < 2) return { note: 'no matrix: low rank left out' }
  const m = shape[0]!
  const n = sizeOf(shape.slice(1))
  if (target.rank !== undefined && target.rank > Math.min(m, n)) {
    return { note: `rank is at most ${Math.min(m, n)}: low rank left out` }
  }
  const result = lowRank({ data: float32(tensor), shape: [m, n], dtype }, target)
  // Without quantisation F32 factors stand against the tensor as it is; what is wider than F32 would be worth no more
  // than that.
  const factorBytes = (quantized ? 1 : 4) * result.rank * (m + n)
  if (factorBytes >= (quantized ? 1 : Math.min(4, data.BYTES_PER_ELEMENT)) * m * n) {
    return { note: `rank ${result.rank} would not save anything: low rank left out` }
  }
  return { result }
}

/** F64 as F32, so that the error which `lowRank` measures is that of the F32 factors that are stored. */
function float32(tensor: FileTensor): Float32Array | Uint16Array {
  if (tensor.dtype !== 'F64') return tensor.data as Float32Array | Uint16Array
  const data = Float32Array.from(tensor.data as Float64Array)
  if (!data.every(Number.isFinite)) throw nonFiniteError(readTensor(VERB, tensor.name, tensor))
  return data
}

/** What is only pruned keeps its 16 bits, which is exact. */
function wholeRecipe(dtype: Dtype, recipe: Recipe): Recipe {
  if (recipe.quantize || (dtype !== 'F16' && dtype !== 'BF16')) return recipe
  return { ...recipe, quantize: { format: dtype === 'F16' ? 'float16' : 'bfloat16' } }
}

/** An axis of the tensor means nothing to its factors, whose channels are their rows. */
function factorRecipe({ quantize: q, prune: p }: Recipe): Recipe {
  return {
    ...(p ? { prune: p } : {}),
    ...(q ? { quantize: { ...q, ...(q.axis === undefined ? {} : { axis: 0 }) } } : {})
  }
}

function dense(
  base: string,
  tensor: Floats,
  { prune: p, quantize: q }: Recipe,
  cut: Cut | undefined
): ReturnType<typeof encodeDense> {
  if (!p) return encodeDense(base, tensor, undefined, q)
  const { values, mask } = cut ? applyCut(readTensor(VERB, base, tensor), cut) : prune(tensor, p)
  return encodeDense(base, values, mask, q)
}

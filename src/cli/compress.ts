import type { Command } from 'commander'
import picomatch from 'picomatch'
import { compressModel, type CompressReport, type Model, type ModelTensor, type Recipe } from '../model/index.js'
import { compressVectors, meansVectors, type VectorOptions } from './compressVectors.js'
import { UsageError } from './errors.js'
import { withModel, writeWhole } from './files.js'
import { bytes, decibels, printJson, printLine, printTable, ratio, shape, share, showProgress } from './output.js'

interface Options extends VectorOptions {
  quantize?: NonNullable<Recipe['quantize']>['format']
  group?: number
  axis?: number
  asymmetric?: boolean
  prune?: number
  pattern?: string
  scope?: 'layer' | 'global'
  rank?: number
  energy?: number
  maxError?: number
  include?: string[]
  exclude?: string[]
}

function needs(option: string, value: unknown, other: string): void {
  if (value !== undefined) throw new UsageError(`${option} goes with ${other}`)
}

function recipeOf(options: Options): Recipe {
  const { quantize: format, group, axis, asymmetric, prune: sparsity, pattern, scope, rank, energy, maxError } = options
  const recipe: Recipe = {}
  if (format !== undefined) {
    recipe.quantize = {
      format,
      ...(group === undefined ? {} : { group }),
      ...(axis === undefined ? {} : { axis }),
      ...(asymmetric ? { symmetric: false } : {})
    }
  } else {
    needs('--group', group, '--quantize')
    needs('--axis', axis, '--quantize')
    needs('--asymmetric', asymmetric, '--quantize')
  }
  if (sparsity !== undefined || pattern !== undefined) {
    recipe.prune = {
      ...(sparsity === undefined ? {} : { sparsity }),
      ...(pattern === undefined ? {} : { pattern }),
      ...(scope === undefined ? {} : { scope })
    }
  } else needs('--scope', scope, '--prune')
  if (rank !== undefined || energy !== undefined || maxError !== undefined) {
    recipe.lowRank = {
      ...(rank === undefined ? {} : { rank }),
      ...(energy === undefined ? {} : { energy }),
      ...(maxError === undefined ? {} : { maxRelativeError: maxError })
    }
  }
  if (Object.keys(recipe).length === 0) {
    throw new UsageError(
      'nothing to do: give at least one of --quantize, --prune, --pattern, --rank, --energy, --max-error'
    )
  }
  return recipe
}

/** What can be compressed. */
const FLOATS: ReadonlySet<string> = new Set(['F64', 'F32', 'F16', 'BF16'])

/** Names are matched as a whole; '*' also crosses '/'. */
function selection(model: Model, { include, exclude }: Options): (tensor: ModelTensor) => boolean {
  const matcher = (globs: string[]): ((name: string) => boolean) => picomatch(globs, { bash: true, dot: true })
  const wanted = include && matcher(include)
  const unwanted = exclude && matcher(exclude)
  const alone = model.tensors.length === 1
  const select = ({ name, dtype, shape: lengths }: ModelTensor): boolean =>
    FLOATS.has(dtype) && (wanted ? wanted(name) : lengths.length > 1 || alone) && !unwanted?.(name)
  if (!model.tensors.some(select)) {
    const globs = [...(include ?? []).map((g) => ` --include ${g}`), ...(exclude ?? []).map((g) => ` --exclude ${g}`)]
    const known = model.tensors.slice(0, 8).map((tensor) => `${tensor.name} (${tensor.dtype} ${shape(tensor.shape)})`)
    throw new UsageError(
      `no tensor of floating-point numbers is selected${globs.length ? ` by${globs.join('')}` : '; --include takes vectors too'}; ` +
        `the file has ${known.join(', ') || 'none'}${model.tensors.length > 8 ? ' …' : ''}`
    )
  }
  return select
}

/** Options that mean a model, and not vectors. */
const OF_MODELS = [
  ...['quantize', 'group', 'axis', 'asymmetric', 'prune', 'pattern', 'scope', 'rank', 'energy'],
  ...['maxError', 'include', 'exclude']
] as const

/** tersor compress FILE … */
export async function compress(file: string, options: Options, command: Command): Promise<void> {
  if (meansVectors(options)) {
    const [model] = OF_MODELS.filter((name) => options[name as keyof Options] !== undefined)
    const flag = model?.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)
    if (flag)
      throw new UsageError(`--${flag} is for models, --bits, --recall, --bytes and --method for vectors; give one kind`)
    return compressVectors(file, options)
  }
  const { output } = options
  if (output === undefined) return command.error("error: required option '-o, --output <file>' not specified")
  return compressTensors(file, output, options)
}

async function compressTensors(file: string, output: string, options: Options): Promise<void> {
  const recipe = recipeOf(options)
  const started = performance.now()
  const report = await withModel(file, async (model) => {
    const select = selection(model, options)
    return writeWhole(output, [file], async (sink) => {
      const progress = showProgress(options.quiet ?? false, model.tensors.length)
      try {
        return (await compressModel(model, { ...recipe, select, sink, onProgress: progress.step })).report
      } finally {
        progress.stop()
      }
    })
  })
  const seconds = (performance.now() - started) / 1000
  if (options.json) printJson({ input: file, output, seconds, ...report })
  else printReport(report, output, seconds)
}

function printReport({ tensors, before, after, ratio: whole }: CompressReport, output: string, seconds: number): void {
  const rows = tensors.map((tensor) => [
    tensor.name,
    shape(tensor.shape),
    tensor.encoding,
    bytes(tensor.before),
    bytes(tensor.after),
    ratio(tensor.ratio),
    share(tensor.error?.relativeError),
    decibels(tensor.error?.snr)
  ])
  const total = ['file', '', '', bytes(before), bytes(after), ratio(whole), '', '']
  printTable(['tensor', 'shape', 'stored as', 'before', 'after', 'ratio', 'relative error', 'SNR dB'], rows, total)
  for (const { name, note } of tensors) if (note) printLine(`${name}: ${note}`)
  printLine(`wrote ${output} in ${seconds.toFixed(2)} s`)
}

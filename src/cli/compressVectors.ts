import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import {
  chooseCodec,
  createIndex,
  evaluate,
  fitCodec,
  paretoPlot,
  type Choice,
  type ChoiceRow,
  type Codec,
  type Evaluation,
  type Method,
  type Metric,
  type OriginalsFormat
} from '../embeddings/index.js'
import { FileError, UsageError } from './errors.js'
import { meanOneFile, refuseInput, writeWhole } from './files.js'
import { bytes, printJson, printLine, printTable } from './output.js'
import { aboutFile, idsOf, interval, printWritten, vectorsFrom } from './vectors.js'

/** Options of `tersor compress` that mean vectors. */
export interface VectorOptions {
  output?: string
  bits?: number
  recall?: number
  bytes?: number
  method?: Method
  centroids?: number
  metric?: Metric
  originals?: OriginalsFormat
  plot?: string
  k?: number
  seed?: number
  json?: boolean
  quiet?: boolean
}

const ASKED = ['bits', 'recall', 'bytes', 'method'] as const
const BESIDE = ['centroids', 'metric', 'originals', 'plot', 'k', 'seed'] as const

/** Whether the command line asks for an index of vectors. */
export function meansVectors(options: VectorOptions): boolean {
  return [...ASKED, ...BESIDE].some((name) => options[name] !== undefined)
}

function check(options: VectorOptions): void {
  const { bits, recall, bytes: size, centroids, plot } = options
  if (ASKED.every((name) => options[name] === undefined)) {
    throw new UsageError(`nothing to do: give one of ${ASKED.map((name) => `--${name}`).join(', ')}`)
  }
  const searched = recall !== undefined || size !== undefined
  if (recall !== undefined && size !== undefined) throw new UsageError('--recall does not go with --bytes; give one')
  for (const [name, value] of Object.entries({ bits, centroids })) {
    if (searched && value !== undefined) {
      throw new UsageError(
        `--${name} does not go with ${recall === undefined ? '--bytes' : '--recall'}, which finds it`
      )
    }
  }
  if (plot !== undefined && !searched)
    throw new UsageError('--plot goes with --recall or --bytes, which try many codecs')
}

/** tersor compress VECTORS --bits … */
export async function compressVectors(file: string, options: VectorOptions): Promise<void> {
  check(options)
  const { plot, originals, json } = options
  const output = options.output ?? (await defaultOutput(file))
  await checkOutputs(file, output, plot)
  const started = performance.now()
  const read = await vectorsFrom(file)
  const { vectors } = read
  const [rows, dimensions] = vectors.shape as [number, number]
  if (rows === 0) throw new FileError(`${file}: expected at least one vector, got none`)
  const say = (text: string): void => {
    if (!options.quiet) process.stderr.write(`${text}\n`)
  }
  const { codec, choice } = fit(vectors, options, say)
  say(`encoding ${rows} vectors`)
  // Where the codes alone hold what was asked for, originals would be weight.
  const kept = choice?.oversampling === 1 ? undefined : originals
  const index = createIndex(codec, kept === undefined ? {} : { originals: kept })
  const ids = idsOf(read)
  try {
    index.add(vectors, ids ? { ids } : {})
  } catch (error) {
    throw aboutFile(file, error)
  }
  const report = choice || rows < 2 ? undefined : measured(codec, vectors, options, say)
  const data = index.toBytes()
  const image = choice && plot !== undefined ? new TextEncoder().encode(drawn(choice, options)) : undefined
  const write = (): Promise<void> => writeWhole(output, [file], (sink) => Promise.resolve(sink.write(0, data)))
  // Two files: the image is complete beside its place when the index takes its own.
  if (image) {
    await writeWhole(plot!, [file], async (sink) => {
      await sink.write(0, image)
      await write()
    })
  } else await write()
  const seconds = (performance.now() - started) / 1000
  const before = 4 * rows * dimensions
  if (json) {
    printJson({
      ...{
        input: file,
        output,
        rows,
        dimensions,
        before,
        after: data.length,
        seconds,
        ids: ids ? 'kept' : 'positions'
      },
      ...(choice ? { ...choice, codec: undefined } : report)
    })
    return
  }
  if (choice) printChoice(choice)
  else if (report) printEvaluation(report)
  if (read.ids && !ids) printLine('ids are no whole numbers: the index has the positions of vectors in the file')
  if (originals !== undefined && kept === undefined) printLine('the codes alone do: no originals are kept')
  if (choice && choice.oversampling > 1) printLine(`search with --oversampling ${choice.oversampling}`)
  printWritten(output, data.length, before, seconds)
}

/** Before minutes are spent on what cannot be written. */
async function checkOutputs(file: string, output: string, plot?: string): Promise<void> {
  await refuseInput(output, [file])
  if (plot === undefined) return
  await refuseInput(plot, [file], '--plot')
  if (await meanOneFile(plot, output)) throw new UsageError('--plot and --output are one file; give two')
}

/** Beside the input; never over what is there. */
async function defaultOutput(file: string): Promise<string> {
  const output = join(dirname(file), `${basename(file, extname(file))}.index.safetensors`)
  if (await stat(output).catch(() => undefined)) {
    throw new UsageError(`${output} is there already; give --output ${output} to replace it, or another name`)
  }
  return output
}

type Vectors = Awaited<ReturnType<typeof vectorsFrom>>['vectors']

function fit(vectors: Vectors, options: VectorOptions, say: (text: string) => void): { codec: Codec; choice?: Choice } {
  const { bits, recall, bytes: size, method, centroids, metric, originals, k, seed } = options
  const common = { ...(metric === undefined ? {} : { metric }), ...(seed === undefined ? {} : { seed }) }
  if (recall !== undefined || size !== undefined) {
    say('searching for a codec')
    const choice = chooseCodec(vectors, {
      ...common,
      ...(recall === undefined ? { bytesPerVector: size } : { recall }),
      ...(method === undefined ? {} : { methods: [method] }),
      ...(k === undefined ? {} : { k }),
      // Without them nothing is there to rescore by.
      ...(originals === undefined ? { oversampling: 1 } : { oversampling: [1, 3], originals })
    })
    return { codec: choice.codec, choice }
  }
  const given = { bits, method, centroids }
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { codec: fitCodec(vectors, { ...common, ...chosen }) }
}

function measured(codec: Codec, vectors: Vectors, { k, seed }: VectorOptions, say: (text: string) => void): Evaluation {
  say('measuring the recall')
  return evaluate(codec, vectors, { ...(k === undefined ? {} : { k }), ...(seed === undefined ? {} : { seed }) })
}

function drawn({ table, oversampling }: Choice, { recall }: VectorOptions): string {
  const points = table.filter((row) => row.oversampling === oversampling)
  return paretoPlot(points, recall === undefined ? {} : { target: recall })
}

function printChoice({ table, ratio: whole }: Choice): void {
  const times = (row: ChoiceRow): string => (row.oversampling === 1 ? '' : `${row.oversampling}x`)
  printTable(
    ['codec', 'rescored', 'bytes', 'with tables', 'recall', ''],
    table.map((row) => [
      row.label,
      times(row),
      String(row.bytesPerVector),
      bytes(row.totalBytes),
      interval(row.recall, row.interval),
      row.chosen ? `chosen, ${whole.toFixed(2)}x` : row.best ? 'best of its size' : ''
    ])
  )
}

export function printEvaluation(report: Evaluation): void {
  const { k, oversampling } = report
  printTable(
    ['', 'value'],
    [
      [`recall@${k}`, interval(report.recall, report.recallInterval)],
      [`recall@${k}, best ${oversampling} k rescored`, interval(report.rescored, report.rescoredInterval)],
      ['confidence', String(report.confidence)],
      ['queries', `${report.queries}${report.tied ? `, ${report.tied} of them tied` : ''}`],
      ['rows', String(report.rows)],
      ['mean squared error', report.mse.toExponential(3)],
      ['relative squared error', report.relativeMse.toExponential(3)],
      ['bias of scores', report.bias.mean.toExponential(3)],
      ['slope of scores', report.bias.slope.toFixed(4)],
      ['bytes per vector', String(report.bytesPerVector)],
      ['codes and tables', `${bytes(report.totalBytes)}, ${report.ratio.toFixed(2)}x smaller than float32`],
      ['encoded per second', Math.round(report.encodePerSecond).toString()],
      ['queries per second', Math.round(report.queriesPerSecond).toString()]
    ]
  )
}

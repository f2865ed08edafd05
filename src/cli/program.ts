import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import colours from 'picocolors'
import { compress } from './compress.js'
import { decompress } from './decompress.js'
import { diff } from './diff.js'
import { evaluateIndex } from './evaluate.js'
import { isInternal, isUsage } from './errors.js'
import { inspect } from './inspect.js'
import { visible } from './output.js'
import { search } from './search.js'
import { METHODS, METRICS } from './vectors.js'

/** 0: done; 1: a file is bad or cannot be read or written; 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('expected a number.')
  return value
}

function whole(text: string): number {
  const value = number(text)
  if (!Number.isInteger(value)) throw new InvalidArgumentError('expected a whole number.')
  return value
}

const collect = (text: string, earlier: string[] = []): string[] => [...earlier, text]

function version(): string {
  // From build/cli.js; the package's own manifest is beside build.
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}

function compressCommand(): Command {
  return new Command('compress')
    .description(
      'compress the tensors of a .npy or .safetensors file, or vectors of any format to an index that is searched'
    )
    .argument('<file>', 'input, never changed')
    .option('-o, --output <file>', 'where the result goes (safetensors); for an index, default NAME.index.safetensors')
    .addOption(
      new Option('--quantize <format>', 'what each number becomes').choices([
        'int8',
        'uint8',
        'int4',
        'uint4',
        'float16',
        'bfloat16'
      ])
    )
    .option('--group <n>', 'one scale for each run of n numbers in a channel', whole)
    .option('--axis <n>', 'one scale for each index along this axis (0: per output channel)', whole)
    .option('--asymmetric', 'scales from least and greatest value, not from the greatest magnitude')
    .option('--prune <s>', 'remove this fraction of the numbers, the smallest ones', number)
    .option('--pattern <n:m>', 'keep the n greatest of each m in a row, such as 2:4')
    .addOption(new Option('--scope <scope>', 'take the fraction of each tensor or of all').choices(['layer', 'global']))
    .option('--rank <k>', 'two factors of this rank for each matrix', whole)
    .option('--energy <e>', 'the least rank that keeps this share of the sum of squares', number)
    .option('--max-error <e>', 'the least rank within this relative error', number)
    .option('--include <glob>', 'only tensors whose name matches (may be repeated)', collect)
    .option('--exclude <glob>', 'no tensors whose name matches (may be repeated)', collect)
    .option('--bits <b>', 'index of vectors: bits of each number', whole)
    .option('--recall <r>', 'index of vectors: the smallest codes that find this share of the true neighbours', number)
    .option('--bytes <n>', 'index of vectors: the codes of at most n bytes a vector that find most', whole)
    .addOption(new Option('--method <method>', 'index of vectors: how they are coded').choices(METHODS))
    .option('--centroids <k>', 'index of vectors: centroids that vectors are coded from', whole)
    .addOption(new Option('--metric <metric>', 'index of vectors: what they are compared by').choices(METRICS))
    .addOption(
      new Option('--originals <format>', 'index of vectors: keep these, too, to rescore by').choices([
        'float32',
        'float16',
        'int8'
      ])
    )
    .option('--plot <file>', 'with --recall or --bytes: draw recall against bytes (SVG)')
    .option('-k <n>', 'neighbours that the recall is of (10)', whole)
    .option('--seed <n>', 'index of vectors: of all that is random (0)', whole)
    .option('--json', 'print the report as JSON')
    .option('--quiet', 'no progress')
    .action(compress)
}

function evaluateCommand(): Command {
  return new Command('evaluate')
    .description("measure what an index's codes lose: recall with its interval, distortion, bytes, speed")
    .argument('<index>', 'what tersor compress wrote')
    .requiredOption('--against <file>', 'the vectors as they were')
    .option('--queries <file>', 'vectors to search for, or how many of the vectors themselves')
    .option('-k <n>', 'neighbours of each query (10)', whole)
    .option('--oversampling <x>', 'candidates for each neighbour, which are then rescored (3)', number)
    .option('--confidence <c>', 'of the intervals (0.95)', number)
    .option('--seed <n>', 'which vectors are drawn as queries (0)', whole)
    .option('--json', 'print it as JSON')
    .action(evaluateIndex)
}

function searchCommand(): Command {
  return new Command('search')
    .description('find the nearest vectors of an index')
    .argument('<index>', 'what tersor compress wrote')
    .option('--query <file>', 'vectors to search for, of any format')
    .option('--vector <numbers>', 'one vector, such as "[0.1, 0.2]"')
    .option('-k <n>', 'results for each (10)', whole)
    .option('--oversampling <x>', 'candidates for each result, which originals in the index rescore', number)
    .option('--probes <n>', 'lists that are looked at, in an index that has them', whole)
    .option('--json', 'print it as JSON')
    .action(search)
}

function decompressCommand(): Command {
  return new Command('decompress')
    .description('write a file with plain float32 numbers again')
    .argument('<file>', 'input, never changed')
    .requiredOption('-o, --output <file>', 'where the result goes; .npy for a single tensor, else safetensors')
    .option('--json', 'print what was written as JSON')
    .option('--quiet', 'no progress')
    .action(decompress)
}

function inspectCommand(): Command {
  return new Command('inspect')
    .description('list what is inside a file')
    .argument('<file>')
    .option('--json', 'print it as JSON')
    .action(inspect)
}

function diffCommand(): Command {
  return new Command('diff')
    .description('compare two files tensor by tensor, restored where they are compressed')
    .argument('<a>', 'the reference')
    .argument('<b>')
    .option('--json', 'print it as JSON')
    .action(diff)
}

function createProgram(): Command {
  const program = new Command('tersor')
    .description('Compresses tensors, embeddings and models.')
    .version(version())
    .showHelpAfterError('(tersor --help lists commands, tersor COMMAND --help its options)')
  const commands = [
    compressCommand(),
    evaluateCommand(),
    searchCommand(),
    decompressCommand(),
    inspectCommand(),
    diffCommand()
  ]
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program))
  for (const command of [program, ...program.commands]) command.exitOverride()
  return program
}

/** Runs one command line. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof Error)) throw error
    const said = isInternal(error)
      ? `internal error of tersor: ${error.stack}; please report it`
      : visible(error.message)
    process.stderr.write(`${colours.red('error:')} ${said}\n`)
    return isUsage(error) ? 2 : 1
  }
}

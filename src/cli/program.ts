import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import colours from 'picocolors'
import { compress } from './compress.js'
import { decompress } from './decompress.js'
import { diff } from './diff.js'
import { inspect } from './inspect.js'
import { visible } from './output.js'

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

function createProgram(): Command {
  const program = new Command('tersor')
    .description('Compresses tensors, embeddings and models.')
    .version(version())
    .showHelpAfterError('(tersor --help lists commands, tersor COMMAND --help its options)')

  program
    .command('compress')
    .description('compress the tensors of a .npy or .safetensors file')
    .argument('<file>', 'input, never changed')
    .requiredOption('-o, --output <file>', 'where the result goes (safetensors)')
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
    .option('--json', 'print the report as JSON')
    .option('--quiet', 'no progress')
    .action(compress)

  program
    .command('decompress')
    .description('write a file with plain float32 numbers again')
    .argument('<file>', 'input, never changed')
    .requiredOption('-o, --output <file>', 'where the result goes; .npy for a single tensor, else safetensors')
    .option('--json', 'print what was written as JSON')
    .option('--quiet', 'no progress')
    .action(decompress)

  program
    .command('inspect')
    .description('list what is inside a file')
    .argument('<file>')
    .option('--json', 'print it as JSON')
    .action(inspect)

  program
    .command('diff')
    .description('compare two files tensor by tensor, restored where they are compressed')
    .argument('<a>', 'the reference')
    .argument('<b>')
    .option('--json', 'print it as JSON')
    .action(diff)

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
    // The library's TypeError and RangeError are about what was asked for, all else about files.
    const usage = error instanceof TypeError || error instanceof RangeError
    process.stderr.write(`${colours.red('error:')} ${visible(error.message)}\n`)
    return usage ? 2 : 1
  }
}

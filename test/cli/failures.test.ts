import { chmodSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeNpy, encodeSafetensors } from '../../src/model/index.js'
import { safetensorsHeader } from '../../src/files/safetensorsWriter.js'
import { snapshot, temporaryFolder, tersor, type Run } from '../support/cli.js'
import type { Input } from '../support/models.js'
import { artefact } from '../support/models.js'
import { normals } from '../support/random.js'

const folder = temporaryFolder()
const write = (name: string, bytes: Uint8Array | string): void => writeFileSync(join(folder, name), bytes)

const good: Input = { name: 'good', shape: [4, 6], data: normals(24, 1) }
const nan: Input = { name: 'layer.bad', shape: [4, 6], data: normals(24, 2).fill(NaN, 7, 8) }
const file = encodeSafetensors([good, { ...good, name: 'also good' }])

write('good.safetensors', file)
write('good.npy', encodeNpy(good))
write('nan.safetensors', encodeSafetensors([good, nan]))
write('nan.npy', encodeNpy(nan))
write('cut.safetensors', file.subarray(0, file.length - 5))
write('cut.npy', encodeNpy(good).subarray(0, 150))
write('text.txt', 'this is no tensor at all\n')
write('empty', '')
write('whole.npy', encodeNpy({ shape: [3], data: Int32Array.of(1, 2, 3) }))
write('later.safetensors', encodeSafetensors([good], artefact([], { version: 2 })))
write('packed.safetensors', encodeSafetensors([good], artefact([{ ...good, dtype: 'F32', dense: { shape: [4, 6] } }])))
// Its header is right, but not what it says of its arrays: an error that comes when the tensor is read.
write(
  'lazy.safetensors',
  encodeSafetensors(
    [
      { name: 'w', shape: [4], data: new Int8Array(4) },
      { name: 'w:scales', shape: [2], data: new Float32Array(2).fill(1) }
    ],
    artefact([{ name: 'w', dtype: 'F32', shape: [4], dense: { shape: [4], quantize: { format: 'int8' } } }])
  )
)
write('w.safetensors', encodeSafetensors([{ name: 'w', shape: [4], data: normals(4, 1) }]))
write('existing', 'an earlier result')
mkdirSync(join(folder, 'folder'))
linkSync(join(folder, 'good.safetensors'), join(folder, 'hard link'))
symlinkSync('good.safetensors', join(folder, 'soft link'))
symlinkSync('folder', join(folder, 'folder link'))

const INT8 = ['--quantize', 'int8']

async function failing(args: string[]): Promise<Run> {
  const before = snapshot(folder)
  const run = await tersor(args, folder)
  // Inputs, earlier results and their times as they were, and nothing new.
  expect(snapshot(folder)).toEqual(before)
  expect(run.stdout).toBe('')
  expect(run.stderr).not.toMatch(/\bat .*:\d+:\d+/)
  return run
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)!

describe('exit code 1: a file is bad', () => {
  it.each<[string, string[], string]>([
    ['a missing file', ['compress', 'none', '-o', 'out', ...INT8], 'cannot read none: no such file or directory'],
    ['a missing file', ['inspect', 'none'], 'cannot read none: no such file or directory'],
    ['a missing file', ['decompress', 'none', '-o', 'out'], 'cannot read none: no such file or directory'],
    ['a missing file', ['diff', 'good.npy', 'none'], 'cannot read none: no such file or directory'],
    ['a missing file', ['diff', 'none', 'good.npy'], 'cannot read none: no such file or directory'],
    ['a path through a file', ['inspect', 'good.npy/x'], 'cannot read good.npy/x: a part of the path is no directory'],
    ['a folder', ['inspect', 'folder'], 'folder: '],
    ['a truncated file', ['compress', 'cut.safetensors', '-o', 'out', ...INT8], 'cut.safetensors: safetensors: '],
    ['a truncated file', ['compress', 'cut.npy', '-o', 'out', ...INT8], 'cut.npy: .npy: '],
    ['a file of text', ['inspect', 'text.txt'], 'text.txt: expected a .npy file'],
    ['an empty file', ['inspect', 'empty'], 'empty: expected a file of at least 10 bytes'],
    ['a later version', ['decompress', 'later.safetensors', '-o', 'out'], 'later.safetensors: the file holds'],
    [
      'a compressed file',
      ['compress', 'packed.safetensors', '-o', 'out', ...INT8],
      'packed.safetensors: compressModel: the file is compressed already'
    ],
    [
      'NaN',
      ['compress', 'nan.safetensors', '-o', 'out', ...INT8],
      'nan.safetensors: tensor "layer.bad": quantize: "tensor" expected finite numbers, got NaN at index 7'
    ],
    ['NaN', ['compress', 'nan.npy', '-o', 'out', '--prune', '0.5'], 'nan.npy: tensor "data": prune: '],
    ['NaN', ['compress', 'nan.npy', '-o', 'out', '--rank', '1'], 'nan.npy: tensor "data": lowRank: '],
    [
      'NaN, globally',
      ['compress', 'nan.safetensors', '-o', 'out', '--prune', '0.5', '--scope', 'global'],
      'nan.safetensors: tensor "layer.bad": '
    ],
    ['NaN in the first', ['diff', 'nan.npy', 'good.npy'], 'nan.npy, good.npy: tensor "data" of a: '],
    ['NaN in the second', ['diff', 'good.npy', 'nan.npy'], 'good.npy, nan.npy: tensor "data" of b: '],
    ['parts that do not fit', ['decompress', 'lazy.safetensors', '-o', 'out'], 'lazy.safetensors: tensor "w" cannot'],
    ['... in the first', ['diff', 'lazy.safetensors', 'w.safetensors'], 'lazy.safetensors: tensor "w" cannot be'],
    ['... in the second', ['diff', 'w.safetensors', 'lazy.safetensors'], 'lazy.safetensors: tensor "w" cannot be'],
    ['no folder', ['compress', 'good.npy', '-o', 'no/out', ...INT8], 'cannot write no/out: no such file or directory'],
    ['no folder', ['decompress', 'good.npy', '-o', 'no/out.npy'], 'cannot write no/out.npy: no such file'],
    ['a folder as output', ['compress', 'good.npy', '-o', 'folder', ...INT8], 'cannot write folder: it is a directory'],
    ['a link to a folder', ['compress', 'good.npy', '-o', 'folder link', ...INT8], 'cannot write folder link: it is a'],
    ['an output in a file', ['compress', 'good.npy', '-o', 'empty/out', ...INT8], 'cannot write empty/out: a part of']
  ])('%s: %j', async (_, args, message) => {
    const { code, stderr } = await failing(args)
    expect(code).toBe(1)
    expect(lastLine(stderr).startsWith(`error: ${message}`), stderr).toBe(true)
    // Once, and only once.
    const named = message.slice(0, message.indexOf(': ') + 2)
    expect(lastLine(stderr).split(named)).toHaveLength(2)
  })

  it('leaves an earlier output as it was', async () => {
    for (const args of [
      ['compress', 'nan.safetensors', '-o', 'existing', ...INT8],
      ['decompress', 'lazy.safetensors', '-o', 'existing']
    ]) {
      expect((await failing(args)).code).toBe(1)
    }
  })

  it.skipIf(process.getuid?.() === 0)('a folder that may not be written', async () => {
    mkdirSync(join(folder, 'locked'))
    chmodSync(join(folder, 'locked'), 0o500)
    const { code, stderr } = await failing(['compress', 'good.npy', '-o', 'locked/out', ...INT8])
    chmodSync(join(folder, 'locked'), 0o700)
    expect(code).toBe(1)
    expect(stderr).toContain('cannot write locked/out: permission denied')
  })

  it('a tensor larger than memory', async ({ skip }) => {
    const shape = [2 ** 20, 2 ** 20]
    const header = safetensorsHeader([{ name: 'vast', dtype: 'F32', shape, byteLength: 2 ** 42 }])
    const other = temporaryFolder()
    writeFileSync(join(other, 'vast.safetensors'), header)
    try {
      truncateSync(join(other, 'vast.safetensors'), header.length + 2 ** 42)
    } catch {
      skip('no sparse files of 4 TiB here')
    }
    for (const command of ['compress', 'decompress']) {
      const args = [command, 'vast.safetensors', '-o', 'out', '--quiet', ...(command === 'compress' ? INT8 : [])]
      const { code, stderr } = await tersor(args, other)
      expect(stderr).toMatch(/^error: cannot read vast\.safetensors: tensor vast: /)
      expect(code).toBe(1)
    }
  })
})

describe('exit code 2: the command line is wrong', () => {
  it.each<[string, string[], RegExp]>([
    ['no command', [], /Usage: tersor/],
    ['an unknown command', ['squeeze', 'good.npy'], /unknown command 'squeeze'/],
    ['an unknown option', ['compress', 'good.npy', '-o', 'out', '--bit', '4'], /unknown option '--bit'/],
    ['an unknown option', ['inspect', 'good.npy', '--table'], /unknown option '--table'/],
    ['no file', ['compress', '-o', 'out', ...INT8], /missing required argument 'file'/],
    ['no second file', ['diff', 'good.npy'], /missing required argument 'b'/],
    ['a file too many', ['inspect', 'good.npy', 'nan.npy'], /too many arguments/],
    ['no output', ['compress', 'good.npy', ...INT8], /required option '-o, --output <file>'/],
    ['no output', ['decompress', 'good.npy'], /required option '-o, --output <file>'/],
    ['an option without its value', ['compress', 'good.npy', '-o', 'out', '--quantize'], /argument missing/],
    ['a group that is text', ['compress', 'good.npy', '-o', 'out', ...INT8, '--group', 'x'], /--group.*a number/],
    ['half a group', ['compress', 'good.npy', '-o', 'out', ...INT8, '--group', '1.5'], /--group.*a whole number/],
    ['a group of 0', ['compress', 'good.npy', '-o', 'out', ...INT8, '--group', '0'], /"group"/],
    ['an empty number', ['compress', 'good.npy', '-o', 'out', '--prune', ''], /--prune.*a number/],
    ['a sparsity of NaN', ['compress', 'good.npy', '-o', 'out', '--prune', 'NaN'], /--prune.*a number/],
    ['sparsity 2', ['compress', 'good.npy', '-o', 'out', '--prune', '2'], /"sparsity" .*\[0, 1\], got 2/],
    ['sparsity -1', ['compress', 'good.npy', '-o', 'out', '--prune', '-1'], /"sparsity" .*\[0, 1\], got -1/],
    ['a pattern that is none', ['compress', 'good.npy', '-o', 'out', '--pattern', '4:2'], /"pattern" expected 'N:M'/],
    ['prune and pattern', ['compress', 'good.npy', '-o', 'out', '--pattern', '2:4', '--prune', '0.5'], /either/],
    ['rank 0', ['compress', 'good.npy', '-o', 'out', '--rank', '0'], /"rank"/],
    ['energy 2', ['compress', 'good.npy', '-o', 'out', '--energy', '2'], /"energy"/],
    ['rank and energy', ['compress', 'good.npy', '-o', 'out', '--rank', '1', '--energy', '0.5'], /exactly one/],
    [
      'an axis that no tensor has',
      ['compress', 'good.npy', '-o', 'out', ...INT8, '--axis', '2'],
      /"axis" .*tensor "data".*got 2/
    ],
    ['an unknown format', ['compress', 'good.npy', '-o', 'out', '--quantize', 'int3'], /int3.*int8, uint8/s],
    [
      'an unknown scope',
      ['compress', 'good.npy', '-o', 'out', '--prune', '.5', '--scope', 'all'],
      /all.*layer, global/
    ],
    ['nothing to do', ['compress', 'good.npy', '-o', 'out'], /nothing to do.*--quantize.*--max-error/],
    ['a group alone', ['compress', 'good.npy', '-o', 'out', '--group', '8'], /--group goes with --quantize/],
    ['an axis alone', ['compress', 'good.npy', '-o', 'out', '--prune', '.5', '--axis', '0'], /--axis goes with/],
    [
      'asymmetric alone',
      ['compress', 'good.npy', '-o', 'out', '--rank', '1', '--asymmetric'],
      /--asymmetric goes with/
    ],
    ['a scope alone', ['compress', 'good.npy', '-o', 'out', ...INT8, '--scope', 'global'], /--scope goes with --prune/],
    [
      'global factors',
      ['compress', 'good.npy', '-o', 'out', '--rank', '1', '--prune', '.5', '--scope', 'global'],
      /scope 'global' does not go with lowRank/
    ],
    [
      'an axis for float16',
      ['compress', 'good.npy', '-o', 'out', '--quantize', 'float16', '--axis', '0'],
      /"axis" does not apply to float16/
    ],
    [
      'no tensor selected',
      ['compress', 'good.safetensors', '-o', 'out', ...INT8, '--include', 'x*'],
      /no tensor .* is selected by --include x\*; the file has good \(F32 4x6\), also good/
    ],
    [
      'every tensor excluded',
      ['compress', 'good.safetensors', '-o', 'out', ...INT8, '--exclude', '*'],
      /no tensor .* is selected by --exclude \*/
    ],
    ['no floats', ['compress', 'whole.npy', '-o', 'out', ...INT8], /no tensor of floating-point.*data \(I32 3\)/],
    ['the input as output', ['compress', 'good.npy', '-o', 'good.npy', ...INT8], /good\.npy is the input itself/],
    ['the input as output', ['decompress', 'good.npy', '-o', './folder/../good.npy'], /is the input itself/],
    [
      'the input by another name',
      ['compress', 'good.safetensors', '-o', 'hard link', ...INT8],
      /hard link is the input itself/
    ],
    [
      'the input through a link',
      ['compress', 'good.safetensors', '-o', 'soft link', ...INT8],
      /soft link is the input itself/
    ],
    ['an input that is a link', ['compress', 'soft link', '-o', 'good.safetensors', ...INT8], /is the input itself/],
    ['.npy for several', ['decompress', 'good.safetensors', '-o', 'out.npy'], /npy.*one tensor, the model has 2/]
  ])('%s: %j', async (_, args, message) => {
    const { code, stderr } = await failing(args)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })
})

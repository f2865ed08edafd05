import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPackage, packaged } from './targets/find.mjs'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const all = Boolean(process.env.ALL_RUNTIMES)
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** A test that needs a package of test/conformance: skipped by name where it is not there, unless nothing may be. */
function needing(name: string, title: string, test: () => Promise<void> | void): void {
  const found = hasPackage(name)
  if (!found && !all) console.log(`${name} is not installed: "${title}" is skipped`)
  it.skipIf(!found && !all)(title, { timeout: 120_000 }, test)
}

/** Runs a command of test/conformance in the checkout; fails with what it says. */
async function command(name: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, npm_config_ignore_scripts: 'true', npm_config_loglevel: 'error', NO_COLOR: '1' }
  try {
    return (await run(packaged(`.bin/${name}`)!, args, { cwd: root, env })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${name} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error })
  }
}

describe('the package is published well', () => {
  needing('publint', 'publint --strict', async () => {
    expect(await command('publint', '--strict')).toContain('All good')
  })

  needing('@arethetypeswrong/cli', 'attw --profile esm-only', async () => {
    expect(await command('attw', '--profile', 'esm-only', '--pack', '.')).toContain('🟢')
  })

  needing('deno', 'to JSR, too (a dry run)', async () => {
    const { version } = JSON.parse(read('package.json')) as { version: string }
    expect(JSON.parse(read('jsr.json'))).toMatchObject({ version })
    await command('deno', 'publish', '--dry-run', '--allow-dirty', '--no-check=remote', '--config', 'jsr.json')
  })

  it('and can be required by CommonJS', () => {
    const code = `
      const { quantize } = require('tersor')
      const { openModel } = require('tersor/model')
      const { createPool } = require('tersor/pool')
      console.log(quantize([1, -2], { format: 'int8' }).codes.join(), typeof openModel, typeof createPool)`
    const text = execFileSync(process.execPath, ['--input-type=commonjs', '--eval', code], { cwd: root })
    expect(text.toString().trim()).toBe('64,-127 function function')
  })
})

describe('a bundle', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tersor-bundle-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function bundle(source: string, ...options: string[]): Promise<string> {
    const entry = join(folder, 'entry.mjs')
    const out = join(folder, 'out.js')
    writeFileSync(entry, source.replaceAll("'tersor", `'${root}/build`))
    await command('esbuild', entry, '--bundle', '--format=esm', `--outfile=${out}`, '--log-level=error', ...options)
    return readFileSync(out, 'utf8')
  }

  /** Kernels that a piece of code calls: an operation that is in the bundle calls its own. */
  const kernelsIn = (code: string): string[] => {
    const declared = readdirSync(join(root, 'build/kernels')).filter((file) => file.endsWith('.d.ts'))
    const kernels = declared.flatMap((file) =>
      [...read(`build/kernels/${file}`).matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name!)
    )
    return [...new Set(kernels)].filter((name) => new RegExp(`\\b${name}\\b`).test(code))
  }

  needing('esbuild', 'of quantize calls the kernels of that verb alone', async () => {
    const code = await bundle("export { quantize } from 'tersor/index.js'")
    const found = kernelsIn(code)
    expect(found).toContain('scalesFromRange')
    // The table of formats has the names of all their kernels, of unpacking as well.
    const others =
      /^(decode(Rows|Columns)|inside|distill|softmax|logSoftmax|factor|jacobi|screened|cholesky|solve|multiply|gram|bracket|magnitude|mask|keepPattern|differences|residual)/
    expect(found.filter((name) => others.test(name))).toEqual([])
    expect(code).not.toContain('createPool')
    expect(
      kernelsIn(await bundle("export * from 'tersor/index.js'")).filter((name) => others.test(name)).length
    ).toBeGreaterThan(5)
  })
})

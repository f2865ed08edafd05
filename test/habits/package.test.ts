import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as distill from '../../src/distill/index.js'
import * as linalg from '../../src/linalg/index.js'
import * as prune from '../../src/prune/index.js'
import * as quantize from '../../src/quantize/index.js'
import { MODULES } from '../../tools/kernels.mjs'

const root = resolve(import.meta.dirname, '../..')
const DOMAINS: Readonly<Record<string, object>> = { quantize, prune, distill, linalg }

describe('the package', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>

  it('has no dependency at run time', () => {
    expect(manifest).not.toHaveProperty('dependencies')
    expect(manifest).not.toHaveProperty('peerDependencies')
  })

  it('is an installable tarball of at most 450 KB with what the exports name', { timeout: 60_000 }, () => {
    const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
      cwd: root
    })
    const [{ size, files }] = JSON.parse(text.toString()) as [{ size: number; files: { path: string }[] }]
    expect(size).toBeLessThanOrEqual(450_000)
    const packed = files.map(({ path }) => path)
    const named = JSON.stringify([manifest.exports, manifest.imports, manifest.bin]).match(/build\/[\w./*-]+/g)!
    const programs = readdirSync(join(root, 'src/pool/programs')).map((file) => file.replace('.ts', ''))
    // Kernels as text stand in the chunks; their files are for the sources alone.
    for (const path of named.filter((path) => path !== 'build/kernels/*.js')) {
      const names = path.includes('/worker/') ? ['runtime', ...programs] : Object.keys(MODULES)
      const files = path.includes('*') ? names.map((name) => path.replace('*', name)) : [path]
      expect(packed).toEqual(expect.arrayContaining(files))
    }
    expect(packed).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md']))
    expect(packed.filter((path) => /^(src|assembly|test|bench|examples)\//.test(path))).toEqual([])
  })

  it('has the modules of kernels as files, too', () => {
    for (const name of Object.keys(MODULES)) {
      // The package finds itself by its own name.
      const file = createRequire(import.meta.url).resolve(`tersor/kernels/${name}.wasm`)
      expect(WebAssembly.validate(new Uint8Array(readFileSync(file)))).toBe(true)
    }
  })

  it.each(['quantize', 'prune', 'distill', 'linalg'])('has tersor/%s, with the functions of tersor', (domain) => {
    const program = `
      import * as tersor from 'tersor'
      import * as domain from 'tersor/${domain}'
      const { init, ...verbs } = domain
      await init()
      for (const name of Object.keys(verbs)) console.log(name, verbs[name] === tersor[name])`
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: root }).toString()
    const names = Object.keys(DOMAINS[domain]!)
      .filter((name) => name !== 'init')
      .sort()
    expect(names.length).toBeGreaterThan(0)
    expect(said.trim().split('\n')).toEqual(names.map((name) => `${name} true`))
  })
})

/** A page's examples. */
const examplesOf = (page: string): string[] =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => text!)

/** Runs a program, whose output is to hold what its comments say. */
function expectPromises(program: string): void {
  // The package finds itself by its own name.
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: root }).toString()
  const promised = [...program.matchAll(/\/\/ (.+)$/gm)].map(([, text]) => text!)
  expect(promised.length).toBeGreaterThan(0)
  for (const text of promised) expect(output).toContain(text)
}

describe('the README', () => {
  const examples = examplesOf('README.md')

  it('has an example of the verbs, one of embeddings and one of the pool', () => {
    expect(examples).toHaveLength(3)
  })

  it.each(examples)('has an example of at most eight lines that runs: %s', { timeout: 60_000 }, (example) => {
    const lines = example.split('\n').filter((line) => line.trim() !== '')
    expect(lines.length).toBeLessThanOrEqual(8)
    expectPromises(example)
  })
})

it('the samples of docs/embeddings.md are a program that runs', { timeout: 60_000 }, () => {
  expectPromises(examplesOf('docs/embeddings.md').join(''))
})

// A module and what it imports as one minified script for browsers, by each bundler.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
import { minify } from 'terser'
import { root } from './commands.mjs'

// esbuild and webpack are among the packages of test/conformance.
const others = createRequire(join(root, 'test/conformance/package.json'))
const own = createRequire(import.meta.url)

/** Whether a bundler is installed. */
export function hasBundler(name) {
  try {
    return Boolean(versionOf(name))
  } catch {
    return false
  }
}

export function versionOf(name) {
  const { resolve } = name === 'rollup' ? own : others
  return JSON.parse(readFileSync(resolve(`${name}/package.json`), 'utf8')).version
}

/** Bytes after gzip -9. */
export const weigh = (code) => gzipSync(code, { level: 9 }).length

async function byRollup(source) {
  const entry = {
    name: 'entry',
    resolveId: (id) => (id === 'entry' ? id : null),
    load: (id) => (id === 'entry' ? source : null)
  }
  const bundle = await rollup({ input: 'entry', plugins: [entry, nodeResolve({ browser: true })] })
  const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true })
  await bundle.close()
  const { code } = await minify(output[0].code, { module: true })
  return code
}

async function byEsbuild(source) {
  const { build } = others('esbuild')
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root },
    ...{ bundle: true, minify: true, format: 'esm', write: false, logLevel: 'error' }
  })
  return outputFiles[0].text
}

async function byWebpack(source) {
  const webpack = others('webpack')
  const folder = mkdtempSync(join(tmpdir(), 'tersor-webpack-'))
  try {
    const entry = join(folder, 'entry.mjs')
    writeFileSync(entry, source)
    const output = { path: folder, filename: 'bundle.js' }
    const compiler = webpack({ mode: 'production', context: folder, entry, output, performance: false })
    const stats = await new Promise((done, fail) => compiler.run((error, stats) => (error ? fail(error) : done(stats))))
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
    return readFileSync(join(folder, 'bundle.js'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const bundlers = { rollup: byRollup, esbuild: byEsbuild, webpack: byWebpack }

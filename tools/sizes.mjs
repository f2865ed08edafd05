// node tools/sizes.mjs: what imports weigh in a bundle for browsers, to docs/sizes.md and between the marks of README.md.
// Needs a build, and the bundlers of test/conformance.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundlers, versionOf, weigh } from './bundlers.mjs'
import { root } from './commands.mjs'
import { folder, textOf } from './kernels.mjs'

/** Entries by their names, and the files of the build that they are. */
export const ENTRIES = {
  tersor: 'index',
  'tersor/quantize': 'quantize',
  'tersor/prune': 'prune',
  'tersor/distill': 'distill',
  'tersor/linalg': 'linalg',
  'tersor/embeddings': 'embeddings',
  'tersor/model': 'model',
  'tersor/pool': 'pool'
}

/** Entries whose names are those of `tersor`. */
const DOMAINS = ['tersor/quantize', 'tersor/prune', 'tersor/distill', 'tersor/linalg']

/** What people import together: [title, entry, names]; all names where none are given. */
export const GROUPS = [
  ['`quantize`', 'tersor', ['quantize']],
  ['`quantize`, `dequantize`, `fakeQuantize`', 'tersor', ['quantize', 'dequantize', 'fakeQuantize']],
  ['`prune`, `applyMask`', 'tersor', ['prune', 'applyMask']],
  ['`distillationLoss`', 'tersor', ['distillationLoss']],
  ['`matmul`', 'tersor', ['matmul']],
  ['`svd`', 'tersor', ['svd']],
  ['all of `tersor`', 'tersor'],
  ['all of `tersor/quantize`', 'tersor/quantize'],
  ['all of `tersor/prune`', 'tersor/prune'],
  ['all of `tersor/distill`', 'tersor/distill'],
  ['all of `tersor/linalg`', 'tersor/linalg'],
  ['`openModel`', 'tersor/model', ['openModel']],
  ['all of `tersor/model`', 'tersor/model'],
  ['`openIndex`, which searches', 'tersor/embeddings', ['openIndex']],
  ['`paretoPlot`', 'tersor/embeddings', ['paretoPlot']],
  ['all of `tersor/embeddings`', 'tersor/embeddings'],
  ['a pool of `quantizing` alone, with its worker', 'tersor/pool', ['createPoolOf', 'quantizing']],
  ['a pool of all verbs, with its worker', 'tersor/pool', ['createPool']]
].map(([title, entry, names]) => ({ title, entry, names }))

/** What the README shows of it. */
const SHOWN = GROUPS.filter(({ title }) => !title.startsWith('all of `tersor/') || /embeddings|model/.test(title))

const addressOf = (entry) => join(root, 'build', `${ENTRIES[entry]}.js`)

/**
 * A module that uses so much of an entry.
 *
 * @param {{ entry: string, names?: string[] }} imported all names where none are given
 */
export function sourceOf({ entry, names }) {
  const from = JSON.stringify(addressOf(entry))
  if (!names) return `import * as all from ${from}\nglobalThis.used = all\n`
  return `import { ${names.join(', ')} } from ${from}\nglobalThis.used = [${names.join(', ')}]\n`
}

/** Each public name alone. */
export async function singles() {
  const found = []
  for (const entry of Object.keys(ENTRIES).filter((name) => !DOMAINS.includes(name))) {
    const names = Object.keys(await import(pathToFileURL(addressOf(entry)).href))
    for (const name of names) found.push({ title: `\`${name}\` of \`${entry}\``, entry, names: [name] })
  }
  return found
}

let texts

/** The modules of kernels that a bundle carries. */
export function modulesIn(code) {
  texts ??= readdirSync(folder)
    .filter((file) => file.endsWith('.wasm'))
    .map((file) => [file.replace('.wasm', ''), textOf(readFileSync(join(folder, file)))])
  return texts.filter(([, text]) => code.includes(text)).map(([name]) => name)
}

export const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`

async function row(imported) {
  const sizes = []
  const modules = new Set()
  for (const bundle of Object.values(bundlers)) {
    const code = await bundle(sourceOf(imported))
    for (const name of modulesIn(code)) modules.add(name)
    sizes.push(weigh(code))
  }
  return { ...imported, sizes, modules: [...modules].sort().join(', ') }
}

const line = ({ title, sizes, modules }) => `| ${title} | ${sizes.join(' | ')} | ${modules || 'none'} |`

/** The committed table: sizes by title, in the order of `bundlers`. */
export function committed() {
  const lines = readFileSync(join(root, 'docs/sizes.md'), 'utf8').matchAll(
    /^\| (.*?) \| (\d+) \| (\d+) \| (\d+) \| (.*) \|$/gm
  )
  return new Map([...lines].map(([, title, ...sizes]) => [title, sizes.slice(0, 3).map(Number)]))
}

function page(groups, alone) {
  const names = Object.keys(bundlers)
  const head = [`| import | ${names.join(' | ')} | kernels |`, `|---|${'---:|'.repeat(names.length)}---|`]
  return [
    '# Sizes',
    '',
    'Bytes of a bundle for browsers, minified, after gzip -9: what an import adds to a page, its WebAssembly included.',
    `Made by \`node tools/sizes.mjs\` with ${names.map((name) => `${name} ${versionOf(name)}`).join(', ')} (rollup with terser).`,
    'The last column names the modules of kernels that the bundle carries; a module is compiled at its first use.',
    '`npm test` holds the limits and this table.',
    '',
    '## What people import together',
    '',
    ...head,
    ...groups.map(line),
    '',
    '## Each name alone',
    '',
    ...head,
    ...alone.map(line),
    ''
  ].join('\n')
}

const MARKS = /(?<=<!-- sizes -->\n)[\s\S]*?(?=<!-- \/sizes -->)/

/** The largest of the bundlers' sizes: a promise that holds for each. */
export function summary(groups) {
  const shown = groups.filter(({ title }) => SHOWN.some((group) => group.title === title))
  const lines = shown.map(({ title, sizes }) => `| ${title} | ${kilobytes(Math.max(...sizes))} |`)
  return ['', '| import | minified and gzipped |', '|---|---:|', ...lines, '', ''].join('\n')
}

if (process.argv[1] === import.meta.filename) {
  const measure = async (list) => {
    const rows = []
    for (const imported of list) rows.push(await row(imported))
    return rows
  }
  const groups = await measure(GROUPS)
  writeFileSync(join(root, 'docs/sizes.md'), page(groups, await measure(await singles())))
  const readme = join(root, 'README.md')
  writeFileSync(
    readme,
    readFileSync(readme, 'utf8').replace(MARKS, () => summary(groups))
  )
}

import { fileURLToPath } from 'node:url'
import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'
import license from 'rollup-plugin-license'
import { minify } from 'terser'

/** Names in a fixed order. By how often characters stand in a chunk, kernels as text would change those of its twin. */
const identifiers = {
  get(number) {
    const letters = 'etnsroialcdupmhfbgvywkxqjzETNSROIALCDUPMHFBGVYWKXQJZ$_'
    let name = letters[number % 54]
    for (let left = Math.floor(number / 54); left > 0; left = Math.floor((left - 1) / 64)) {
      name += `${letters}0123456789`[(left - 1) % 64]
    }
    return name
  }
}

/**
 * `names`: of each chunk, which a twin gets too.
 *
 * What npm packs has a limit, so that the library comes short; declarations have its comments. Bundlers need the marks of pure
 * calls to leave out what nobody uses.
 */
function shorten(names = new Map()) {
  return {
    name: 'shorten',
    async renderChunk(code, { fileName }) {
      const format = { comments: /@ts-self-types/, preserve_annotations: true }
      const nameCache = names.get(fileName) ?? {}
      names.set(fileName, nameCache)
      const { code: shorter } = await minify(code, {
        module: true,
        mangle: { nth_identifier: identifiers },
        format,
        nameCache
      })
      return { code: shorter, map: null }
    }
  }
}

/** Leaves imports as files of their own, by their paths from each chunk. `places` finds the file of an import's name. */
function beside(places) {
  const found = new Map()
  return {
    name: 'beside',
    resolveId(id) {
      const file = places(id)
      if (!file) return null
      const path = fileURLToPath(new URL(file, import.meta.url))
      found.set(path, file)
      return { id: path, external: 'absolute' }
    },
    renderChunk(code, chunk) {
      const up = chunk.fileName.includes('/') ? '../' : './'
      for (const [path, file] of found) code = code.replaceAll(path, file.replace('build/', up))
      return { code, map: null }
    }
  }
}

/** The domains of the pool, by their files in src/pool/programs. */
const PROGRAMS = ['quantize', 'prune', 'distill', 'products', 'decompositions', 'solvers', 'lowRank']

/** In a worker: the thread that starts it hands over the compiled kernels, of which it needs the names alone. */
const adopted = {
  name: 'adopted',
  resolveId(id) {
    if (id.startsWith('#kernels/')) return `\0${id}`
    if (id.endsWith('/modules.js'))
      return fileURLToPath(new URL('build/esm/src/pool/adoptedModules.js', import.meta.url))
    return null
  },
  load(id) {
    const name = /^\0#kernels\/(.+)/.exec(id)?.[1]
    return name ? `export const kernels = { name: '${name}' }` : null
  }
}

/** The core is one part. Above it rollup finds the parts by itself, since domains share some of their modules. */
function workerChunkOf(id) {
  const [, room, path] = /build\/esm\/src\/(\w+)\/(.+)\.js$/.exec(id) ?? []
  const isDomains = room === 'pool' ? /^(programs|plans)\/(?!whole)/.test(path) : room !== 'core' && room !== undefined
  return isDomains || id.includes('/assembly/') ? undefined : 'runtime'
}

/** Wraps each part of the worker's script as text, in a module that imports the parts that have to stand above it. */
const carriers = {
  name: 'carriers',
  generateBundle(options, bundle) {
    for (const chunk of Object.values(bundle)) {
      const id = chunk.fileName.replace(/\.js$/, '')
      const needs = chunk.imports.map((file, i) => [`need${i}`, file])
      const imports = needs.map(([name, file]) => `import { chunk as ${name} } from './${file}'\n`).join('')
      const list = needs.map(([name]) => name).join(', ')
      const text = JSON.stringify(chunk.code.trim())
      chunk.code = `${imports}export const chunk = { id: '${id}', text: ${text}, needs: [${list}] }\n`
    }
  }
}

const folder = (name) => `build/esm/src/${name}/index.js`
const domains = ['quantize', 'prune', 'distill', 'linalg', 'embeddings', 'model', 'pool']
const library = { index: 'build/esm/src/index.js', ...Object.fromEntries(domains.map((name) => [name, folder(name)])) }

/** Most characters of a chunk, each module minified apart; together they are a fifth less. gzip sees 32 KB back. */
const WINDOW = 36_500

/**
 * Chunks of the library: a file a folder of src, what `tersor` needs apart from the rest, cut where it would be too
 * long. Few files start fast. Modules come in the order of their imports, so that no chunk needs one that needs it.
 * Both libraries get the same chunks. npm packs files by their names, twins one after the other: so the second costs
 * little. Kernels as text stand in the chunk of their engine, before its code.
 */
async function chunksOf(getModuleInfo) {
  const order = []
  const importers = new Map()
  const visit = (id, seen) => {
    const info = getModuleInfo(id)
    if (seen.has(id) || !info?.code || !/build\/(esm|kernels)/.test(id)) return
    seen.add(id)
    for (const next of info.importedIds) {
      if (!importers.has(next)) importers.set(next, id)
      visit(next, seen)
    }
    if (!order.includes(id)) order.push(id)
  }
  const main = new Set()
  const others = new Set()
  const entries = Object.entries(library).map(([name, file]) => [name, fileURLToPath(new URL(file, import.meta.url))])
  for (const [name, id] of entries) visit(id, name === 'index' ? main : others)
  const open = new Map()
  const chunks = new Map()
  for (const id of order.filter((id) => !isKernels(id))) {
    const folder = folderOf(id)
    if (folder === undefined || entries.some(([, entry]) => entry === id)) continue
    // What needs the files of `tersor` needs its linear algebra, too.
    const group = main.has(id) ? folder.replace('files', 'linalg') : `${folder}-more`
    const { code } = await minify(getModuleInfo(id).code, { module: true, compress: { unused: false } })
    const last = open.get(group) ?? { size: 0, number: 1 }
    const fits = last.size + code.length <= WINDOW
    const next = fits ? { ...last, size: last.size + code.length } : { size: code.length, number: last.number + 1 }
    open.set(group, next)
    chunks.set(id, next.number > 1 ? `${group}-${next.number}` : group)
  }
  for (const id of order.filter(isKernels)) chunks.set(id, chunks.get(importers.get(id)))
  return chunks
}

const kernelsFile = (name) => fileURLToPath(new URL(`build/kernels/${name}.js`, import.meta.url))
const isKernels = (id) => /build\/kernels\//.test(id)
const folderOf = (id) => /build\/esm\/(?:src|assembly)\/(\w+)\//.exec(id)?.[1]

/** What the bundles of one condition have in common. */
const split = {
  format: 'es',
  chunkFileNames: 'chunks/[name].js',
  hoistTransitiveImports: false,
  onlyExplicitManualChunks: true
}

/** Chunks by the modules of a build, known when all of it is read. */
function chunked() {
  let chunks
  return {
    plugin: {
      name: 'chunked',
      async buildEnd() {
        chunks = await chunksOf((id) => this.getModuleInfo(id))
      }
    },
    manualChunks: (id) => chunks.get(id)
  }
}

/** Names in the chunks of both libraries. */
const names = new Map()
const forAll = chunked()
const forIsolates = chunked()

export default [
  // The worker's script with the programs of all domains: classic and module alike.
  {
    input: 'build/esm/src/pool/worker.js',
    output: { file: 'build/worker.js', format: 'iife' },
    plugins: [adopted, resolve(), shorten()]
  },
  // The same in parts, of which a pool composes the script of its domains (src/pool/script.ts).
  {
    input: {
      runtime: 'build/esm/src/pool/runtime.js',
      ...Object.fromEntries(PROGRAMS.map((name) => [name, `build/esm/src/pool/programs/${name}.js`]))
    },
    output: {
      dir: 'build/worker',
      format: 'amd',
      amd: { autoId: true },
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      minifyInternalExports: true,
      hoistTransitiveImports: false,
      manualChunks: workerChunkOf,
      onlyExplicitManualChunks: true
    },
    preserveEntrySignatures: 'allow-extension',
    plugins: [adopted, resolve(), shorten(), carriers]
  },
  {
    input: { ...library, cli: 'build/esm/src/cli/main.js' },
    output: {
      ...split,
      manualChunks: forAll.manualChunks,
      dir: 'build',
      // JSR and Deno find the types by it.
      banner: ({ name, isEntry }) => (isEntry && name in library ? `/* @ts-self-types="./${name}.d.ts" */` : '')
    },
    external: /^node:/,
    plugins: [
      forAll.plugin,
      beside((id) => {
        return id.startsWith('#worker/') ? `build/worker/${id.slice(8)}.js` : undefined
      }),
      {
        name: 'kernels',
        resolveId: (id) => (id.startsWith('#kernels/') ? kernelsFile(id.slice(9)) : null),
        // They and the lists of them need nothing of what stands before them: to the top, so that the code is nearer to
        // its twin.
        renderChunk(code) {
          const top = /^const (kernels\S* = \{ name: .+|(MODULES|SEARCHING)\S* = \[[\w$, ]+\];)$/gm
          return { code: [...(code.match(top) ?? []), code.replace(top, '')].join('\n'), map: null }
        }
      },
      resolve({ preferBuiltins: true }),
      commonjs(),
      license({ thirdParty: { output: 'build/THIRD-PARTY.txt' } }),
      shorten(names)
    ]
  },
  // Isolates that compile no bytes and have no workers: the conditions of package.json say which files `#kernels/…` are.
  {
    input: library,
    output: { ...split, manualChunks: forIsolates.manualChunks, dir: 'build/isolate' },
    external: /^#kernels\//,
    plugins: [
      forIsolates.plugin,
      {
        name: 'no-worker',
        resolveId: (id) => (id.startsWith('#worker/') ? '\0worker' : null),
        load: (id) => (id === '\0worker' ? "export const chunk = { id: '', text: '', needs: [] }" : null)
      },
      resolve(),
      shorten(names)
    ]
  }
]

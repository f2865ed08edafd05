import { fileURLToPath } from 'node:url'
import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'
import license from 'rollup-plugin-license'
import { minify } from 'terser'

/**
 * What npm packs has a limit, so that the library comes short; declarations have its comments. Bundlers need the marks of pure
 * calls to leave out what nobody uses.
 */
function shorten() {
  return {
    name: 'shorten',
    async renderChunk(code) {
      const format = { comments: /@ts-self-types/, preserve_annotations: true }
      const { code: shorter } = await minify(code, { module: true, format })
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

/** Most characters of a chunk before it is shortened. After it gzip must see its twin, and gzip sees 32 KB back. */
const WINDOW = 50_000

/**
 * Chunks of modules that the same entries need, cut in the order of their imports, so that no chunk needs one that needs it. Both
 * conditions get the same chunks. npm packs files by their names, the twins one after the other, so that the second costs little.
 */
function chunksOf(getModuleInfo) {
  const order = []
  const entries = new Map()
  const visit = (id, bit, seen) => {
    const info = getModuleInfo(id)
    if (seen.has(id) || !info?.code || !/build\/esm/.test(id)) return
    seen.add(id)
    for (const next of info.importedIds) visit(next, bit, seen)
    if (!entries.has(id)) order.push(id)
    entries.set(id, (entries.get(id) ?? 0) | bit)
  }
  Object.values(library).forEach((file, i) => visit(fileURLToPath(new URL(file, import.meta.url)), 1 << i, new Set()))
  const open = new Map()
  const chunks = new Map()
  for (const id of order) {
    const needed = entries.get(id)
    const size = getModuleInfo(id).code.replace(/\/\*[\s\S]*?\*\//g, '').length
    const last = open.get(needed)
    const chunk = last && last.size + size <= WINDOW ? last : { name: nameOf(id), size: 0 }
    chunk.size += size
    open.set(needed, chunk)
    chunks.set(id, chunk.name)
  }
  return chunks
}

const nameOf = (id) => /build\/esm\/(?:src\/)?(.*)\.js$/.exec(id)[1].replaceAll('/', '-')

let chunks

/** What the bundles of one condition have in common. */
const split = {
  format: 'es',
  chunkFileNames: 'chunks/[name].js',
  hoistTransitiveImports: false,
  onlyExplicitManualChunks: true,
  manualChunks(id, { getModuleInfo }) {
    chunks ??= chunksOf(getModuleInfo)
    return chunks.get(id)
  }
}

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
      dir: 'build',
      // JSR and Deno find the types by it.
      banner: ({ name, isEntry }) => (isEntry && name in library ? `/* @ts-self-types="./${name}.d.ts" */` : '')
    },
    external: /^node:/,
    plugins: [
      beside((id) => {
        if (id.startsWith('#worker/')) return `build/worker/${id.slice(8)}.js`
        return id.startsWith('#kernels/') ? `build/kernels/${id.slice(9)}.js` : undefined
      }),
      resolve({ preferBuiltins: true }),
      commonjs(),
      license({ thirdParty: { output: 'build/THIRD-PARTY.txt' } }),
      shorten()
    ]
  },
  // Isolates that compile no bytes and have no workers: the conditions of package.json say which files `#kernels/…` are.
  {
    input: library,
    output: { ...split, dir: 'build/isolate' },
    external: /^#kernels\//,
    plugins: [
      {
        name: 'no-worker',
        resolveId: (id) => (id.startsWith('#worker/') ? '\0worker' : null),
        load: (id) => (id === '\0worker' ? "export const chunk = { id: '', text: '', needs: [] }" : null)
      },
      resolve(),
      shorten()
    ]
  }
]

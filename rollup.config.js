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
  // The pool's worker: a script by itself, classic and module alike, and the same as text for the inline worker.
  {
    input: 'build/esm/src/pool/worker.js',
    output: { file: 'build/worker.js', format: 'iife' },
    plugins: [
      {
        name: 'worker',
        // The thread that starts it hands over the compiled kernels.
        resolveId: (id) => (id.startsWith('#kernels/') ? `\0${id}` : null),
        load(id) {
          const name = /^\0#kernels\/(.+)/.exec(id)?.[1]
          return name ? `export const kernels = { name: '${name}', text: '', sum: 0, module: undefined }` : null
        },
        generateBundle(options, bundle) {
          const source = `export const source = ${JSON.stringify(bundle['worker.js'].code)}\n`
          this.emitFile({ type: 'asset', fileName: 'core/workerSource.js', source })
        }
      },
      resolve(),
      shorten()
    ]
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
        if (id === '#worker') return 'build/core/workerSource.js'
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
        resolveId: (id) => (id === '#worker' ? '\0worker' : null),
        load: (id) => (id === '\0worker' ? "export const source = ''" : null)
      },
      resolve(),
      shorten()
    ]
  }
]

import { fileURLToPath } from 'node:url'
import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'
import license from 'rollup-plugin-license'
import { minify } from 'terser'

/** The library stays readable, without its comments: they are in the declarations and the sources. */
const READABLE = {
  compress: false,
  mangle: false,
  format: { beautify: true, comments: /@ts-self-types/, indent_level: 2 }
}

/** @param readable says which chunks people may want to read */
function shorten(readable = () => false) {
  return {
    name: 'shorten',
    async renderChunk(code, chunk) {
      const { code: shorter } = await minify(code, { module: true, ...(readable(chunk) ? READABLE : {}) })
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

const library = {
  ...{ index: 'build/esm/src/index.js', quantize: 'build/esm/src/quantize/index.js', prune: 'build/esm/src/prune/index.js' },
  ...{ distill: 'build/esm/src/distill/index.js', linalg: 'build/esm/src/linalg/index.js' },
  ...{ embeddings: 'build/esm/src/embeddings/index.js', model: 'build/esm/src/model/index.js', pool: 'build/esm/src/pool/index.js' }
}

/** What the bundles of one condition have in common. */
const split = { format: 'es', chunkFileNames: 'chunks/[name].js', hoistTransitiveImports: false }

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
      shorten(({ name }) => name !== 'cli')
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

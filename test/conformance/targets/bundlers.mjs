// node bundlers.mjs NAME: bundles the entry of one target in the project that it is started in, into bundles/NAME.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

const project = process.cwd()
const [name] = process.argv.slice(2)
const folder = join(project, 'bundles', name)
const page = (attribute) =>
  `<!doctype html><meta charset="utf-8"><title>${name}</title><script ${attribute} src="bundle.js"></script>\n`

/** As Next treats `?module`: each file is compiled outside of the sandbox, which has the modules in a global. */
const wasmModules = {
  name: 'wasm-modules',
  setup(build) {
    build.onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace('?module', '')),
      namespace: 'wasm-module'
    }))
    build.onLoad({ filter: /./, namespace: 'wasm-module' }, ({ path }) => {
      const file = basename(path)
      copyFileSync(path, join(folder, file))
      return { contents: `export default globalThis.wasmModules['${file}']` }
    })
  }
}

async function esbuild(options) {
  const { build } = await import('esbuild')
  await build({ bundle: true, minify: true, logLevel: 'error', absWorkingDir: project, outdir: folder, ...options })
}

const bundlers = {
  async vite() {
    const { build } = await import('vite')
    writeFileSync(join(project, 'index.html'), '<!doctype html><script type="module" src="/bundle.mjs"></script>\n')
    await build({ root: project, base: './', configFile: false, logLevel: 'error', build: { outDir: folder } })
  },

  async webpack() {
    const { default: webpack } = await import('webpack')
    writeFileSync(join(folder, 'index.html'), page('defer'))
    const output = { path: folder, filename: 'bundle.js' }
    const compiler = webpack({ mode: 'production', context: project, entry: './bundle.mjs', output })
    const stats = await new Promise((done, fail) => compiler.run((error, stats) => (error ? fail(error) : done(stats))))
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
  },

  async rollup() {
    const { rollup } = await import('rollup')
    const { default: nodeResolve } = await import('@rollup/plugin-node-resolve')
    writeFileSync(join(folder, 'index.html'), page('type="module"'))
    const bundle = await rollup({ input: join(project, 'bundle.mjs'), plugins: [nodeResolve({ browser: true })] })
    await bundle.write({ file: join(folder, 'bundle.js'), format: 'es' })
    await bundle.close()
  },

  async esbuild() {
    writeFileSync(join(folder, 'index.html'), page('defer'))
    await esbuild({ entryPoints: ['bundle.mjs'] })
  },

  workerd: () =>
    esbuild({
      entryPoints: ['worker.mjs'],
      conditions: ['workerd', 'worker', 'browser'],
      format: 'esm',
      loader: { '.wasm': 'copy' }
    }),

  'edge-runtime': () =>
    esbuild({
      entryPoints: ['edge.mjs'],
      conditions: ['edge-light', 'worker', 'browser'],
      plugins: [wasmModules]
    })
}

mkdirSync(folder, { recursive: true })
await bundlers[name]()

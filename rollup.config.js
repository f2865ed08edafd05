import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'
import license from 'rollup-plugin-license'
import { minify } from 'terser'

/**
 * The command line carries its libraries with it, so that users install nothing: it alone is minified. The library stays readable; its
 * comments are in the declarations and the sources.
 */
const shorten = {
  name: 'shorten',
  async renderChunk(code, chunk) {
    const readable = { compress: false, mangle: false, format: { beautify: true, comments: false, indent_level: 2 } }
    const { code: shorter } = await minify(code, { module: true, ...(chunk.name === 'cli' ? {} : readable) })
    return { code: shorter, map: null }
  }
}

export default {
  input: {
    index: 'build/esm/index.js',
    model: 'build/esm/model/index.js',
    cli: 'build/esm/cli/main.js'
  },
  output: {
    dir: 'build',
    format: 'es',
    chunkFileNames: 'chunks/core.js',
    hoistTransitiveImports: false
  },
  external: /^node:/,
  plugins: [
    resolve({ preferBuiltins: true }),
    commonjs(),
    license({ thirdParty: { output: 'build/THIRD-PARTY.txt' } }),
    shorten
  ]
}

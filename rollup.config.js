import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'
import license from 'rollup-plugin-license'
import { minify } from 'terser'

/** The command line carries its libraries with it, so that users install nothing: only there is size worth unreadable code. */
const minifyCli = {
  name: 'minify-cli',
  async renderChunk(code, chunk) {
    return chunk.name === 'cli' ? { code: (await minify(code, { module: true })).code, map: null } : null
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
    minifyCli
  ]
}

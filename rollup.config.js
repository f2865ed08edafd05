import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'
import license from 'rollup-plugin-license'

export default {
  input: {
    index: 'build/esm/index.js',
    model: 'build/esm/model/index.js',
    cli: 'build/esm/cli/main.js'
  },
  output: {
    dir: 'build',
    format: 'es',
    chunkFileNames: 'chunks/[name].js',
    hoistTransitiveImports: false
  },
  external: /^node:/,
  plugins: [
    resolve({ preferBuiltins: true }),
    commonjs(),
    license({ thirdParty: { output: 'build/THIRD-PARTY.txt' } })
  ]
}

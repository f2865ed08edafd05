// One file of declarations for each entry: every resolver reads it, and none sees what is internal.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generateDtsBundle } from 'dts-bundle-generator'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const entries = {
  index: 'src/index.ts',
  quantize: 'src/quantize/index.ts',
  prune: 'src/prune/index.ts',
  distill: 'src/distill/index.ts',
  linalg: 'src/linalg/index.ts',
  embeddings: 'src/embeddings/index.ts',
  model: 'src/model/index.ts',
  pool: 'src/pool/index.ts'
}
const texts = generateDtsBundle(
  Object.values(entries).map((file) => ({
    filePath: at(file),
    output: { noBanner: true, exportReferencedTypes: false }
  })),
  { preferredConfigPath: at('tsconfig.build.json') }
)
Object.keys(entries).forEach((name, i) => writeFileSync(at(`build/${name}.d.ts`), texts[i]))

writeFileSync(at('build/worker.d.ts'), '/** A script for workers: it exports nothing. */\nexport {}\n')
writeFileSync(
  at('build/kernels.d.ts'),
  '/** Kernels as a WebAssembly.Module, for those whose bundler makes modules of .wasm files. */\ndeclare const module: object\nexport default module\n'
)

// build/declarations.d.ts has each declaration once, without what is internal; those of the entries name what they export of it.
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generateDtsBundle } from 'dts-bundle-generator'
import ts from 'typescript'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const domains = ['quantize', 'prune', 'distill', 'linalg', 'embeddings', 'model', 'pool']
const entries = { index: 'src/index.ts', ...Object.fromEntries(domains.map((name) => [name, `src/${name}/index.ts`])) }

const { config } = ts.readConfigFile(at('tsconfig.build.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, at('.'))
const program = ts.createProgram(Object.values(entries).map(at), options)
const checker = program.getTypeChecker()

/** Names in the common file by what they stand for. Of two things with one name, such as `init`, the later gets its entry's, too. */
const names = new Map()
const taken = new Set()
const lines = []
const exported = {}
for (const [entry, file] of Object.entries(entries)) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(at(file)))
  exported[entry] = checker.getExportsOfModule(module).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const kind = target.flags & ts.SymbolFlags.Value ? '' : 'type '
    if (!names.has(target)) {
      const name = taken.has(symbol.name) ? `${symbol.name}Of${entry[0].toUpperCase()}${entry.slice(1)}` : symbol.name
      taken.add(name)
      names.set(target, name)
      lines.push(`export { ${kind}${symbol.name} as ${name} } from '../${file.replace(/\.ts$/, '.js')}'`)
    }
    const name = names.get(target)
    return `${kind}${name === symbol.name ? name : `${name} as ${symbol.name}`}`
  })
}

const source = at('build/everything.ts')
writeFileSync(source, `${lines.join('\n')}\n`)
try {
  const [text] = generateDtsBundle([{ filePath: source, output: { noBanner: true, exportReferencedTypes: false } }], {
    preferredConfigPath: at('tsconfig.build.json')
  })
  writeFileSync(at('build/declarations.d.ts'), text)
} finally {
  rmSync(source)
}
// Resolvers that know no TypeScript ask for the script that the entries' declarations name.
writeFileSync(at('build/declarations.js'), '/* @ts-self-types="./declarations.d.ts" */\nexport {}\n')
for (const [entry, found] of Object.entries(exported)) {
  writeFileSync(at(`build/${entry}.d.ts`), `export {\n  ${found.join(',\n  ')}\n} from './declarations.js'\n`)
}

writeFileSync(at('build/worker.d.ts'), '/** A script for workers: it exports nothing. */\nexport {}\n')
writeFileSync(
  at('build/kernels.d.ts'),
  '/** Kernels as a WebAssembly.Module, for those whose bundler makes modules of .wasm files. */\ndeclare const module: object\nexport default module\n'
)

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../../src')

/** The rooms of embeddings, each of which may import those before it. */
const ROOMS = ['vectors', 'scan', 'codec', 'search', 'measure']

const importsOf = (path: string, isRuntime = false): string[] =>
  (isRuntime
    ? runtimeImports(path)
    : ts.preProcessFile(readFileSync(path, 'utf8')).importedFiles.map((i) => i.fileName)
  )
    .filter((name) => name.startsWith('.'))
    .map((name) => resolve(dirname(path), name).replace(/\.js$/, '.ts'))

/** Names of the modules that are loaded, not those that types alone come from. */
function runtimeImports(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest)
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
    const from = statement.moduleSpecifier
    if (!from || !ts.isStringLiteral(from)) return []
    const isType = ts.isImportDeclaration(statement)
      ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      : statement.isTypeOnly
    return isType ? [] : [from.text]
  })
}

/** All modules that a module loads, by their paths in src. */
function reachedFrom(entry: string): string[] {
  const found = new Set<string>()
  const queue = [join(root, entry)]
  for (let path = queue.pop(); path; path = queue.pop()) {
    if (found.has(path) || !path.startsWith(root)) continue
    found.add(path)
    queue.push(...importsOf(path, true))
  }
  return [...found].map((path) => relative(root, path))
}

describe('the rooms of embeddings', () => {
  const folder = join(root, 'embeddings')
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const roomOf = (path: string): number => ROOMS.indexOf(relative(folder, path).split('/')[0]!)

  it('import those before them', () => {
    const wrong = modules.flatMap((file) => {
      const path = join(folder, file)
      const later = importsOf(path).filter((other) => roomOf(path) >= 0 && roomOf(other) > roomOf(path))
      return later.map((other) => `${file} imports ${relative(folder, other)}`)
    })
    expect(wrong).toEqual([])
  })
})

describe('opening', () => {
  it.each(['embeddings/codec/openCodec.ts', 'embeddings/search/createIndex.ts'])('%s reaches no fitting', (entry) => {
    const reached = reachedFrom(entry)
    expect(reached).toContain('embeddings/codec/methods/opq.ts')
    // An index makes its lists when there are rows enough, by k-means.
    const fitting = reached.filter((path) => path.startsWith('embeddings/codec/fit/') && !path.endsWith('/kmeans.ts'))
    expect(fitting).toEqual([])
    expect(reached.filter((path) => path.startsWith('linalg/'))).toEqual(['linalg/gemm.ts'])
  })
})

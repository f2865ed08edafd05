import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { lineOf, parse, placeOf, sourcesOf, type Source } from '../support/sources.js'

const MOST_LINES = 400
const MOST_LINES_OF_FUNCTION = 80
const MOST_ARGUMENTS = 8

const CODE = /\.(ts|tsx|mjs|js)$/
const WRITTEN = /\.(ts|tsx|mjs|js|py|html|css)$/

const linesOf = ({ text }: Source): number => text.trimEnd().split('\n').length

const longFiles = (sources: readonly Source[]): string[] =>
  sources.filter((source) => linesOf(source) > MOST_LINES).map((source) => `${source.path}: ${linesOf(source)} lines`)

function nodesOf(file: ts.SourceFile): ts.Node[] {
  const all: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    all.push(node)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return all
}

/** Functions by the lines from their first word to their last brace, inner functions included. */
function longFunctions(source: Source): string[] {
  const file = parse(source)
  return nodesOf(file).flatMap((node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return []
    const lines = lineOf(file, node.end) - lineOf(file, node.getStart()) + 1
    const name = node.name?.getText() ?? ''
    return lines > MOST_LINES_OF_FUNCTION ? [`${placeOf(file, node)}: ${lines} lines ${name}`.trimEnd()] : []
  })
}

/** Files that hold nothing but typed wrappers of kernels. */
const WRAPPERS = /(^|\/)(kernelCalls|gemm)\.ts$/

/** Whether the function around a call does nothing else: it names its arguments (`const`), then makes the call. */
function isWrapped(call: ts.Node): boolean {
  const made = ts.isReturnStatement(call.parent) || ts.isExpressionStatement(call.parent) ? call.parent : call
  if (ts.isArrowFunction(made.parent)) return made.parent.body === call
  const block = made.parent
  if (!ts.isBlock(block) || !ts.isFunctionLike(block.parent)) return false
  const names = (statement: ts.Statement): boolean =>
    ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) !== 0
  return block.statements.slice(0, -1).every(names) && block.statements.at(-1) === made
}

function wideCalls(source: Source): string[] {
  if (WRAPPERS.test(source.path)) return []
  const file = parse(source)
  return nodesOf(file).flatMap((node) => {
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return []
    const count = node.arguments?.length ?? 0
    const wide = count > MOST_ARGUMENTS && !isWrapped(node)
    return wide ? [`${placeOf(file, node)}: ${count} arguments to ${node.expression.getText()}`] : []
  })
}

it(`no file has more than ${MOST_LINES} lines`, () => {
  const sources = sourcesOf(['src', 'assembly', 'tools', 'bench', 'examples', 'test'], WRITTEN)
  expect(sources.length).toBeGreaterThan(300)
  expect(longFiles(sources)).toEqual([])
})

it(`no function has more than ${MOST_LINES_OF_FUNCTION} lines`, () => {
  const sources = sourcesOf(['src', 'assembly', 'tools', 'bench', 'examples'], CODE)
  expect(sources.flatMap(longFunctions)).toEqual([])
})

it(`no call of src outside a wrapper of a kernel has more than ${MOST_ARGUMENTS} positional arguments`, () => {
  expect(sourcesOf(['src']).flatMap(wideCalls)).toEqual([])
})

describe('what is too large is seen', () => {
  const source = (text: string, path = 'src/a.ts'): Source => ({ path, text })
  const lines = (count: number): string => '\n'.repeat(count)

  it('a file', () => {
    expect(longFiles([source(`a${lines(399)}b\n`)])).toEqual([])
    expect(longFiles([source(`a${lines(400)}b\n`)])).toEqual(['src/a.ts: 401 lines'])
  })

  it('a function, a method, an arrow, and what holds them', () => {
    expect(longFunctions(source(`function f() {${lines(79)}}`))).toEqual([])
    expect(longFunctions(source(`\nfunction f() {${lines(80)}}`))).toEqual(['src/a.ts:2: 81 lines f'])
    expect(longFunctions(source(`class C { m() {${lines(80)}} }`))).toEqual(['src/a.ts:1: 81 lines m'])
    expect(longFunctions(source(`const f = () => { const g = () => {${lines(80)}} }`))).toHaveLength(2)
    expect(longFunctions(source(`function f(a: ${lines(90)} number): void`))).toEqual([])
  })

  it('a call', () => {
    const nine = 'k.f(1, 2, 3, 4, 5, 6, 7, 8, 9)'
    expect(wideCalls(source('{ f(1, 2, 3, 4, 5, 6, 7, 8) }'))).toEqual([])
    expect(wideCalls(source(`function f() { g()\n${nine} }`))).toEqual(['src/a.ts:2: 9 arguments to k.f'])
    expect(wideCalls(source(`if (a) ${nine}`))).toHaveLength(1)
    expect(wideCalls(source(`function f() { let a = 1; ${nine} }`))).toHaveLength(1)
    expect(wideCalls(source(`function f() { const a = ${nine}; return a }`))).toHaveLength(1)
    expect(wideCalls(source(`function f() { for (;;) { ${nine} } }`))).toHaveLength(1)
    expect(wideCalls(source('new C(1, 2, 3, 4, 5, 6, 7, 8, 9)'))).toHaveLength(1)
  })

  it('but no call in a wrapper', () => {
    const nine = 'k.f(1, 2, 3, 4, 5, 6, 7, 8, 9)'
    expect(wideCalls(source(nine, 'src/quantize/kernelCalls.ts'))).toEqual([])
    expect(wideCalls(source(`const f = (a) => ${nine}`))).toEqual([])
    expect(wideCalls(source(`function f({ a }) { const { b } = a; return ${nine} }`))).toEqual([])
    expect(wideCalls(source(`class C { f() { ${nine} } }`))).toEqual([])
  })
})

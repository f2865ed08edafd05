import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { parse, placeOf, sourcesOf, type Source } from '../support/sources.js'

/** What is started, not imported: the command, whose parts are always all there, and the worker's script. */
const STARTED = /^src\/(cli\/|pool\/worker\.ts$)/

/** What a module may do when it is loaded: declare. A bundler leaves out all of it that nobody asks for. */
function impureStatements(source: Source): string[] {
  const file = parse(source)
  return file.statements
    .filter((statement) => !declares(statement))
    .map((statement) => `${placeOf(file, statement)}: ${statement.getText().split('\n')[0]}`)
}

function declares(statement: ts.Statement): boolean {
  if (ts.isImportDeclaration(statement)) return statement.importClause !== undefined
  if (ts.isVariableStatement(statement)) {
    // A pattern takes properties, which may call getters: bundlers keep it.
    const { declarations } = statement.declarationList
    return declarations.every(({ name, initializer }) => ts.isIdentifier(name) && isPure(initializer))
  }
  if (ts.isClassDeclaration(statement)) return isClassPure(statement)
  if (ts.isExportAssignment(statement)) return isPure(statement.expression)
  return (
    ts.isExportDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  )
}

function isClassPure(node: ts.ClassLikeDeclaration): boolean {
  const heritage = node.heritageClauses ?? []
  return (
    heritage.flatMap(({ types }) => [...types]).every(({ expression }) => isPure(expression)) &&
    node.members.every((member) => {
      if (ts.isClassStaticBlockDeclaration(member)) return false
      const name = member.name === undefined || isKeyPure(member.name)
      const isStatic = ts.isPropertyDeclaration(member) && ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static
      return name && (!isStatic || isPure(member.initializer))
    })
  )
}

const isKeyPure = (name: ts.PropertyName): boolean => !ts.isComputedPropertyName(name) || isPure(name.expression)

const isMarked = (node: ts.Expression): boolean =>
  (ts.isCallExpression(node) || ts.isNewExpression(node)) &&
  /[@#]__PURE__/.test(node.getSourceFile().text.slice(node.pos, node.getStart()))

/** Whether an expression can be left out with what it is assigned to. */
function isPure(node: ts.Expression | undefined): boolean {
  if (node === undefined || ts.isLiteralExpression(node) || ts.isIdentifier(node)) return true
  if (ts.isFunctionExpression(node) || ts.isArrowFunction(node) || ts.isOmittedExpression(node)) return true
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    return isMarked(node) && (node.arguments ?? []).every(isItemPure)
  }
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) {
    return isPure(node.expression)
  }
  if (ts.isNonNullExpression(node)) return isPure(node.expression)
  if (ts.isClassExpression(node)) return isClassPure(node)
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isItemPure)
  if (ts.isObjectLiteralExpression(node)) return node.properties.every(isPropertyPure)
  if (ts.isTemplateExpression(node)) return node.templateSpans.every(({ expression }) => isPure(expression))
  if (ts.isPrefixUnaryExpression(node)) return !/\+\+|--/.test(node.getText()) && isPure(node.operand)
  if (ts.isConditionalExpression(node)) return [node.condition, node.whenTrue, node.whenFalse].every(isPure)
  if (ts.isBinaryExpression(node)) return !isAssignment(node) && isPure(node.left) && isPure(node.right)
  if (ts.isPropertyAccessExpression(node)) return /^(Math|Number|Object|Array)\.\w+$/.test(node.getText())
  return [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword].includes(node.kind)
}

/** `...x` runs x's iterator: bundlers keep it, unless x is a list that stands there. */
const isItemPure = (node: ts.Expression): boolean =>
  ts.isSpreadElement(node) ? ts.isArrayLiteralExpression(node.expression) && isPure(node.expression) : isPure(node)

function isPropertyPure(property: ts.ObjectLiteralElementLike): boolean {
  if (ts.isSpreadAssignment(property)) return false
  if (ts.isPropertyAssignment(property)) return isKeyPure(property.name) && isPure(property.initializer)
  return isKeyPure(property.name)
}

const isAssignment = ({ operatorToken: { kind } }: ts.BinaryExpression): boolean =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment

describe('loading a module of src', () => {
  const modules = sourcesOf(['src']).filter(({ path }) => !STARTED.test(path))

  it('is tried with all of them', () => {
    expect(modules.length).toBeGreaterThan(100)
  })

  it('does nothing', () => {
    expect(modules.flatMap(impureStatements)).toEqual([])
  })
})

describe('a statement that does something', () => {
  const impure = (text: string): number => impureStatements({ path: 'a.ts', text }).length

  it('is seen', () => {
    expect(impureStatements({ path: 'a.ts', text: '\nf()' })).toEqual(['a.ts:2: f()'])
    expect(impure("import './polyfill.js'")).toBe(1)
    expect(impure('for (const a of b) c(a)')).toBe(1)
    expect(impure('const a = f()')).toBe(1)
    expect(impure('const a = new Set()')).toBe(1)
    expect(impure('const a = [1, { b: f() }]')).toBe(1)
    expect(impure('const a = /* @__PURE__ */ f(g())')).toBe(1)
    expect(impure('const a = [...b]')).toBe(1)
    expect(impure('const a = { ...b }')).toBe(1)
    expect(impure('const a = b.c')).toBe(1)
    expect(impure('const a = (b = 1)')).toBe(1)
    expect(impure('const a = tag`b`')).toBe(1)
    expect(impure('const { a } = /* @__PURE__ */ f()')).toBe(1)
    expect(impure('class A { static b = f() }')).toBe(1)
    expect(impure('class A extends f() {}')).toBe(1)
    expect(impure('class A { static { f() } }')).toBe(1)
    expect(impure('enum A { b }')).toBe(1)
  })

  it('is told from declarations', () => {
    expect(impure("import { a } from './a.js'\nexport * from './b.js'\nexport { a }")).toBe(0)
    expect(impure('interface A { b: 1 }\ntype B = A\nfunction f() { g() }')).toBe(0)
    expect(impure('let a: number | undefined\nlet b = 0')).toBe(0)
    expect(impure("const a = -(2 ** 3) + B, c = `${a}`, d = /x/, e = a ? 'b' : null")).toBe(0)
    expect(impure('const a = { b: [1, true], c: () => f(), d() { return f() } } as const')).toBe(0)
    expect(impure('const a = [...[1], 2]')).toBe(0)
    expect(impure('const a = /* @__PURE__ */ new Set([1]), b = /* @__PURE__ */ Object.keys(a).map(f)')).toBe(0)
    expect(impure('class A extends B { static c = 1; d = f() }')).toBe(0)
    expect(impure('const a = Number.MAX_SAFE_INTEGER')).toBe(0)
  })
})

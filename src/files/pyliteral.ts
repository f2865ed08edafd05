/**
 * The part of Python's literals that the header of a .npy file can hold. These are dictionaries, tuples, lists,
 * strings, whole numbers (with the L of Python 2), True, False and None. Strings keep their escapes: none stands in a
 * name or type that can be read.
 */
export type PyLiteral = string | number | boolean | null | PyLiteral[] | PyTuple | Map<PyLiteral, PyLiteral>

export class PyTuple {
  constructor(readonly items: PyLiteral[]) {}
}

const MARK = /(?<mark>[{}[\](),:])/
const TEXT = /[ub]?(?:'(?<single>[^'\\\n]*(?:\\.[^'\\\n]*)*)'|"(?<double>[^"\\\n]*(?:\\.[^"\\\n]*)*)")/
const WHOLE = /(?<whole>-?\d+)L?\b/
const WORD = /(?<word>True|False|None)\b/
const TOKEN = /* @__PURE__ */ anyOf([MARK, TEXT, WHOLE, WORD])

function anyOf(patterns: readonly RegExp[]): RegExp {
  return new RegExp(`\\s*(?:${patterns.map(({ source }) => source).join('|')})`, 'y')
}

/** A header that can be read nests twice; one of a structured type hardly more. */
const DEEPEST = 32

type Token = { mark: string } | { value: PyLiteral }

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  for (let at = 0; at < end; at = TOKEN.lastIndex) {
    const groups = TOKEN.exec(text)?.groups
    if (!groups) throw new SyntaxError(`unexpected ${JSON.stringify(text.slice(at, at + 20).trim())}`)
    const { mark, single, double, whole, word } = groups
    if (mark !== undefined) tokens.push({ mark })
    else if (whole !== undefined) tokens.push({ value: Number(whole) })
    else if (word !== undefined) tokens.push({ value: word === 'None' ? null : word === 'True' })
    else tokens.push({ value: (single ?? double)! })
  }
  return tokens
}

/** Reads one literal that is the whole text. Throws SyntaxError. */
export function parsePython(text: string): PyLiteral {
  const tokens = tokenize(text)
  let next = 0
  const expected = (what: string): never => {
    const token = tokens[next]
    const got = token === undefined ? 'the end' : 'mark' in token ? `"${token.mark}"` : JSON.stringify(token.value)
    throw new SyntaxError(`expected ${what}, got ${got}`)
  }
  const takes = (mark: string): boolean => {
    const token = tokens[next]
    const isMark = token !== undefined && 'mark' in token && token.mark === mark
    if (isMark) next++
    return isMark
  }
  /** Members up to `close`; a comma may stand behind the last. */
  const members = (close: string, member: () => void): { count: number; endsInComma: boolean } => {
    let count = 0
    for (let endsInComma = false; ; endsInComma = true) {
      if (takes(close)) return { count, endsInComma }
      member()
      count++
      if (takes(close)) return { count, endsInComma: false }
      if (!takes(',')) expected(`"," or "${close}"`)
    }
  }
  const parse = (depth: number): PyLiteral => {
    if (depth > DEEPEST) throw new SyntaxError(`nests deeper than ${DEEPEST} levels`)
    const items: PyLiteral[] = []
    const item = () => items.push(parse(depth + 1))
    if (takes('[')) {
      members(']', item)
      return items
    }
    if (takes('(')) {
      const { count, endsInComma } = members(')', item)
      // (3) is the number 3, (3,) a tuple.
      return count === 1 && !endsInComma ? items[0]! : new PyTuple(items)
    }
    if (takes('{')) {
      const map = new Map<PyLiteral, PyLiteral>()
      members('}', () => {
        const key = parse(depth + 1)
        if (map.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key)} stands twice`)
        if (!takes(':')) expected('":"')
        map.set(key, parse(depth + 1))
      })
      return map
    }
    const token = tokens[next]
    if (token === undefined || 'mark' in token) return expected('a value')
    next++
    return token.value
  }
  const value = parse(0)
  if (next < tokens.length) expected('the end')
  return value
}

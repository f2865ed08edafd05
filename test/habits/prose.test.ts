import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { lineOf, parse, sourcesOf, type Source } from '../support/sources.js'

const MOST_WORDS = 25
const WIDEST = 120

/** A comment, or lines of `//` that follow each other. */
interface Comment {
  line: number
  lines: string[]
}

/** The comments of a file, without what marks them. */
function commentsOf(source: Source): Comment[] {
  const file = parse(source)
  const found = new Map<number, string>()
  const take = (ranges: readonly ts.CommentRange[] | undefined): void =>
    ranges?.forEach(({ pos, end }) => found.set(pos, source.text.slice(pos, end)))
  const visit = (node: ts.Node): void => {
    take(ts.getLeadingCommentRanges(source.text, node.pos))
    take(ts.getTrailingCommentRanges(source.text, node.end))
    node.getChildren(file).forEach(visit)
  }
  visit(file)
  const comments: Comment[] = []
  let last = -1
  for (const [pos, text] of [...found].sort(([a], [b]) => a - b)) {
    const line = lineOf(file, pos)
    const own = source.text.slice(file.getPositionOfLineAndCharacter(line - 1, 0), pos).trim() === ''
    if (!text.startsWith('//')) {
      const inner = text.replace(/^\/\*+/, '').replace(/\*+\/$/, '')
      comments.push({ line, lines: inner.split('\n').map((part) => part.replace(/^\s*\* ?/, '')) })
    } else if (own && line === last + 1) {
      comments.at(-1)!.lines.push(text.slice(2))
    } else {
      comments.push({ line, lines: [text.slice(2)] })
    }
    last = text.startsWith('//') && own ? line : -1
  }
  return comments
}

/** Rows of tables, drawings, columns of numbers: what is set by eye. */
const DRAWN = /^\s*\||[─-╿▀-▟]|\S {3,}\S|-{3,}|={3,}|^\s*[-+|<>=^v\s]+$/
/** Notes to tools. */
const NOTE = /^\s*(eslint|prettier|@ts-|[@#]__PURE__|[@#]__NO_SIDE_EFFECTS__)/
/** Items of a list and tags begin a sentence. */
const BEGINS = /^\s*(?:@|[-*] |\d+\. )/

/** Code, references and addresses are a word each. */
const plain = (text: string): string =>
  text
    .replace(/\{@link[^}]*\}/g, 'link')
    .replace(/`[^`]*`/g, 'code')
    .replace(/https?:\/\/\S+/g, 'address')

/** A dot that ends no sentence: of an abbreviation, or of a name's initial. */
const SHORT = /^\(?(?:e\.g|i\.e|cf|vs|pp?|ed|vol|[A-Z])\.$/
/** Items of a tag, or behind a colon, stand between semicolons. */
const LISTS = /^@|:(\s|$)/

interface Sentence {
  line: number
  text: string
}

/** The sentences of a comment; what stands between semicolons after a colon counts as one. */
function sentencesOf({ line, lines }: Comment): Sentence[] {
  const sentences: Sentence[] = []
  let current: Sentence | undefined
  let isCode = false
  // Whether a colon has begun a list.
  let isList = false
  const end = (): void => {
    if (current !== undefined) sentences.push(current)
    current = undefined
    isList = false
  }
  lines.forEach((text, i) => {
    const fence = /^\s*```/.test(text)
    if (fence) isCode = !isCode
    if (fence || isCode || DRAWN.test(text) || NOTE.test(text) || text.trim() === '') return end()
    if (BEGINS.test(text)) end()
    for (const word of text.trim().split(/\s+/)) {
      current ??= { line: line + i, text: '' }
      current.text += current.text === '' ? word : ` ${word}`
      const open = (current.text.match(/`/g) ?? []).length % 2 === 1
      if (open) continue
      const stop = /[.!?][)"'’”]*$/.test(word) && !SHORT.test(word)
      const item = word.endsWith(';') && (isList || LISTS.test(plain(current.text)))
      if (stop || item) end()
      if (item) isList = true
    }
  })
  end()
  return sentences
}

/** Numbers, signs and initials are no words. */
const wordsOf = (text: string): number =>
  plain(text)
    .split(' ')
    .filter((word) => /\p{L}/u.test(word) && !SHORT.test(word)).length

function longSentences(source: Source): string[] {
  return commentsOf(source)
    .flatMap(sentencesOf)
    .filter(({ text }) => wordsOf(text) > MOST_WORDS)
    .map(({ line, text }) => `${source.path}:${line}: ${wordsOf(text)} words: ${text}`)
}

function wideLines(source: Source): string[] {
  const rows = source.text.split('\n')
  return commentsOf(source).flatMap(({ line, lines }) =>
    lines
      .map((_, i) => line + i)
      .filter((row) => rows[row - 1]!.length > WIDEST)
      .map((row) => `${source.path}:${row}: ${rows[row - 1]!.length} columns`)
  )
}

describe.each(['src', 'assembly'])('the comments of %s', (folder) => {
  const sources = sourcesOf([folder])

  it('are found', () => {
    expect(sources.flatMap(commentsOf).length).toBeGreaterThan(300)
  })

  it(`have lines of at most ${WIDEST} columns`, () => {
    expect(sources.flatMap(wideLines)).toEqual([])
  })

  it(`have sentences of at most ${MOST_WORDS} words`, () => {
    expect(sources.flatMap(longSentences)).toEqual([])
  })
})

describe('what is too long is seen', () => {
  const source = (text: string): Source => ({ path: 'a.ts', text })
  const words = (count: number): string => 'word '.repeat(count).trim()
  const count = (text: string): number => longSentences(source(text)).length

  it('in comments of both kinds, wherever they stand', () => {
    expect(longSentences(source(`const a = 1\n// ${words(26)}`))).toEqual([`a.ts:2: 26 words: ${words(26)}`])
    expect(longSentences(source(`\n/**\n * One.\n * ${words(26)}.\n */`))).toEqual([`a.ts:4: 26 words: ${words(26)}.`])
    expect(count(`f(a, /* ${words(26)} */ b)`)).toBe(1)
    expect(count(`const a = { b: 1 } // ${words(26)}`)).toBe(1)
    expect(count(`const a = '// ${words(26)}'`)).toBe(0)
  })

  it('over lines that belong together', () => {
    expect(count(`// ${words(13)}\n// ${words(13)}`)).toBe(1)
    expect(count(`// ${words(13)}\n\n// ${words(13)}`)).toBe(0)
    expect(count(`/**\n * ${words(13)}\n *\n * ${words(13)}\n */`)).toBe(0)
    expect(count(`a() // ${words(13)}\nb() // ${words(13)}`)).toBe(0)
  })

  it('from the beginning of a sentence to its end', () => {
    expect(count(`// ${words(25)}. ${words(25)}? (${words(25)}.) k ${words(24)}.`)).toBe(0)
    expect(count(`// ${words(13)} e.g. ${words(13)}`)).toBe(1)
    expect(count(`// ${words(13)}, 1.5 and a.b ${words(11)}`)).toBe(1)
    expect(count(`/**\n * ${words(20)}\n * @throws ${words(20)}\n * - ${words(20)}\n */`)).toBe(0)
  })

  it('with numbers, signs and initials as no words', () => {
    expect(count(`// ${words(25)} 1 + 2 = 3 (A. B. ${'12 '.repeat(9)})`)).toBe(0)
    expect(count(`// ${words(20)} q. ${words(20)}`)).toBe(0)
  })

  it('in lists by their items', () => {
    expect(count(`/**\n * @throws ${words(20)}; ${words(20)}\n */`)).toBe(0)
    expect(count(`// ${words(10)}: ${words(10)}; ${words(10)}; ${words(10)}`)).toBe(0)
    expect(count(`// ${words(10)}: ${words(10)}; ${words(26)}; ${words(10)}`)).toBe(1)
    expect(count(`// ${words(13)}; ${words(13)}`)).toBe(1)
  })

  it('with code as one word, and nothing of drawings and blocks of code', () => {
    expect(count(`// ${words(24)} \`${words(9)}\` and`)).toBe(1)
    expect(count(`// ${words(24)} \`${words(9)}.\``)).toBe(0)
    expect(count(`/**\n * \`\`\`js\n * ${words(30)}\n * \`\`\`\n */`)).toBe(0)
    expect(count(`/*\n * | a | ${words(30)} |\n * a    ${words(30)}\n */`)).toBe(0)
  })

  it('in the width of a comment, not in that of code', () => {
    expect(wideLines(source(`\n// ${'a'.repeat(117)}`))).toEqual([])
    expect(wideLines(source(`\n/**\n * ${'a'.repeat(118)}\n */`))).toEqual(['a.ts:3: 121 columns'])
    expect(wideLines(source(`const a = '${'a'.repeat(120)}'`))).toEqual([])
  })
})

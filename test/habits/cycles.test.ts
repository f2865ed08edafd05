import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { sourcesOf, type Source } from '../support/sources.js'

/** The modules that each module imports, for types too. */
type Graph = ReadonlyMap<string, readonly string[]>

function graphOf(sources: readonly Source[]): Graph {
  const known = new Set(sources.map(({ path }) => path))
  return new Map(
    sources.map(({ path, text }) => {
      const names = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName)
      const paths = names
        .filter((name) => name.startsWith('.'))
        .map((name) => `${join(dirname(path), name).replace(/\.(js|ts)$/, '')}`)
        .flatMap((base) => [`${base}.ts`, `${base}/index.ts`])
      return [path, [...new Set(paths)].filter((other) => known.has(other))]
    })
  )
}

/** The shortest way from a module back to itself; nothing where there is none. */
function circleOf(graph: Graph, start: string): string[] | undefined {
  const from = new Map<string, string>()
  const queue = [start]
  for (const path of queue) {
    for (const next of graph.get(path)!) {
      if (next === start) {
        const circle = [start]
        for (let at = path; at !== start; at = from.get(at)!) circle.unshift(at)
        return [start, ...circle]
      }
      if (from.has(next)) continue
      from.set(next, path)
      queue.push(next)
    }
  }
  return undefined
}

/** Circles in words. A module that an earlier circle shows is not told again. */
function circlesOf(graph: Graph): string[] {
  const shown = new Set<string>()
  const circles: string[] = []
  for (const path of graph.keys()) {
    const circle = shown.has(path) ? undefined : circleOf(graph, path)
    if (circle === undefined) continue
    for (const member of circle) shown.add(member)
    circles.push(circle.join(' -> '))
  }
  return circles
}

describe.each(['src', 'assembly'])('the modules of %s', (folder) => {
  const graph = graphOf(sourcesOf([folder]))

  it('are found, and import each other', () => {
    expect(graph.size).toBeGreaterThan(10)
    expect([...graph.values()].flat().length).toBeGreaterThan(graph.size)
  })

  it('do not import each other in a circle', () => {
    expect(circlesOf(graph)).toEqual([])
  })
})

describe('a circle is seen', () => {
  const circles = (files: Record<string, string>): string[] =>
    circlesOf(graphOf(Object.entries(files).map(([path, text]) => ({ path, text }))))

  it('of types', () => {
    const files = {
      'src/a.ts': "import { b } from './room/b.js'",
      'src/room/b.ts': "import type { A } from '../c.js'",
      'src/c.ts': "export * from './a.js'"
    }
    expect(circles(files)).toEqual(['src/a.ts -> src/room/b.ts -> src/c.ts -> src/a.ts'])
  })

  it('of names without an ending, and of a module that imports itself', () => {
    expect(circles({ 'a.ts': "import { b } from './b'", 'b.ts': "import { a } from './a'" })).toHaveLength(1)
    expect(circles({ 'a.ts': "import { a } from './a.js'" })).toEqual(['a.ts -> a.ts'])
  })

  it('and none where two ways lead to one module', () => {
    const files = { 'a.ts': "import './b.js'\nimport './c.js'", 'b.ts': "import './c.js'", 'c.ts': '' }
    expect(circles(files)).toEqual([])
  })
})

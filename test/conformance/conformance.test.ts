import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { differences } from './grid.mjs'

const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8')) as Record<string, string>

// conformance.long.test.ts asks every runtime, and the package as it is installed.
it('the package as built gives the same bytes on this Node', { timeout: 120_000 }, async () => {
  const script = fileURLToPath(new URL('../support/builtRows.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  expect(differences(JSON.parse(stdout) as Record<string, string>, expected)).toEqual([])
})

it('a pool of any number of threads, and of any domains, gives the bytes of the verbs alone', () => {
  const rows = Object.entries(expected).filter(([name]) => name.startsWith('createPool'))
  expect(rows.map(([name]) => name)).toEqual(
    expect.arrayContaining(['createPool: the verbs alone', 'createPool: 8 threads', 'createPoolOf'])
  )
  expect(new Set(rows.map(([, hash]) => hash)).size).toBe(1)
})

describe('the comparison', () => {
  it('sees an operation that one side lacks', () => {
    expect(differences({ a: '1' }, { a: '1', b: '2' })).toEqual(['b'])
    expect(differences({ a: '1', b: '2' }, { a: '1' })).toEqual(['b'])
  })
})

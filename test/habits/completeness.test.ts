import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as tersor from '../../src/index.js'
import * as model from '../../src/model/index.js'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

function texts(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !file.includes('node_modules'))
    .map((file) => read(join(folder, file)))
}

/** Every exported function is an operation; classes are the errors. */
const operations = [...new Set([...Object.entries(tersor), ...Object.entries(model)])]
  .filter(([, value]) => typeof value === 'function' && !(value.prototype instanceof Error))
  .map(([name]) => name)

/** What every operation has, and how it is recognised. */
const habits: Readonly<Record<string, (name: string) => boolean>> = (() => {
  const tests = texts('test', '.test.ts')
  const benches = texts('bench', '.mjs')
  const table = JSON.parse(read('test/conformance/expected.json')) as Record<string, string>
  const numerics = read('docs/numerics.md')
  const readme = read('README.md')
  const row = (name: string): RegExp => new RegExp(`^\\| \`${name}\` \\|`, 'm')
  return {
    'a describe block in a test': (name) => tests.some((text) => text.includes(`describe('${name}'`)),
    'a row in test/conformance/expected.json': (name) => /^[0-9a-f]{64}$/.test(table[name] ?? ''),
    'a call in bench': (name) => benches.some((text) => new RegExp(`\\b${name}\\(`).test(text)),
    'a row in docs/numerics.md': (name) => row(name).test(numerics),
    "a row in README's table": (name) => row(name).test(readme)
  }
})()

it('finds the operations', () => {
  expect(operations).toEqual(expect.arrayContaining(['quantize', 'prune', 'distillationLoss', 'svd', 'compressModel']))
})

describe.each(Object.keys(habits))('every operation has %s', (habit) => {
  it.each(operations)('%s', (name) => {
    expect(habits[habit]!(name), `${name} lacks ${habit}`).toBe(true)
  })

  it('and one that does not exist has none', () => {
    expect(habits[habit]!('noSuchOperation')).toBe(false)
  })
})

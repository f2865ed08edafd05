import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { targets } from './targets.mjs'

const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8')) as Record<string, string>

describe('the built package gives the same bytes', () => {
  for (const { name, found, table } of targets) {
    if (!found) console.log(`${name} is not installed: its conformance is skipped`)
    const title = found ? `on ${name}` : `on ${name} (not installed: skipped)`
    it.skipIf(!found)(title, { timeout: 180_000 }, async () => {
      expect(await table(found!)).toEqual(expected)
    })
  }
})

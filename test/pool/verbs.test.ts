import { expect, it } from 'vitest'
import * as tersor from '../../src/index.js'
import { createPool } from '../../src/pool/index.js'
import { calls } from '../conformance/pool.mjs'

/** What starts the engine, and what makes an object that is added to: a pool has none of them. */
const NO_VERBS = ['init', 'createGram', 'openGram']

/** All that computes. */
const verbs = Object.entries(tersor)
  .filter(([name, value]) => !NO_VERBS.includes(name) && !(value.prototype instanceof Error))
  .map(([name]) => name)
  .sort()

it('a pool has every verb', () => {
  const own = ['threads', 'init', 'close']
  expect(
    Object.keys(createPool())
      .filter((name) => !own.includes(name))
      .sort()
  ).toEqual(verbs)
})

it('the conformance table calls every verb on pools', async () => {
  const called = new Set<string>()
  const counting = new Proxy(tersor, {
    get(target, name: string) {
      called.add(name)
      return target[name as keyof typeof tersor]
    }
  })
  for (const call of calls(counting)) await call()
  expect([...called].sort()).toEqual(verbs)
})

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checksumOf, textOf } from '../../tools/kernels.mjs'
import { differences, grid } from './grid.mjs'
import { createProject, removeFolder } from './project.mjs'
import { conform, targets, underPolicy } from './targets.mjs'
import { chromium } from './targets/browsers.mjs'
import { host } from './targets/processes.mjs'

const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8')) as Record<string, string>
/** Set where nothing may be skipped: continuous integration. */
const all = Boolean(process.env.ALL_RUNTIMES)

let project: string
beforeAll(() => {
  project = createProject()
})
afterAll(() => removeFolder(project))

describe('the package as published gives the same bytes', () => {
  for (const target of targets) {
    const { name, found } = target
    if (!found && !all) console.log(`${name} is not installed: its conformance is skipped`)
    const title = found ? `on ${name}` : `on ${name} (not installed)`
    it.skipIf(!found && !all)(title, { timeout: 180_000 }, async () => {
      expect(found, `${name} is not installed, and ALL_RUNTIMES is set`).toBeTruthy()
      const { table } = await conform(target, project)
      expect(differences(table, expected)).toEqual([])
    })
  }
})

describe('the comparison', () => {
  it('turns red for one flipped bit in the code of a kernel', { timeout: 120_000 }, async () => {
    const flipped = join(project, 'flipped')
    cpSync(join(project, 'node_modules'), join(flipped, 'node_modules'), { recursive: true })
    for (const file of readdirSync(project).filter((name) => /\.mjs$|^package/.test(name)))
      cpSync(join(project, file), join(flipped, file))
    const build = join(flipped, 'node_modules/tersor/build')
    const wasm = readFileSync(join(build, 'kernels/distill.wasm'))
    const text = textOf(wasm)
    // ln 2, an immediate operand of exp: with any bit of it flipped, the module stays valid and its loops end.
    const place = wasm.indexOf(Buffer.from(Float64Array.of(Math.LN2).buffer))
    expect(place).toBeGreaterThan(0)
    wasm[place]! ^= 1
    expect(WebAssembly.validate(wasm)).toBe(true)
    const chunk = join(build, 'chunks/distill.js')
    const [before, after, ...more] = readFileSync(chunk, 'utf8').split(text)
    expect([after === undefined, more.length]).toEqual([false, 0])
    // With a checksum of its own, or the copy would be refused as damaged.
    const summed = after!.replace(/sum:-?[\d.e]+/, `sum:${checksumOf(wasm)}`)
    expect(summed).not.toBe(after)
    writeFileSync(chunk, before! + textOf(wasm) + summed)
    const result = await conform(host, flipped)
    const { text: said, wrong } = grid({ flipped: { ...result, seconds: 0 } }, expected)
    expect(wrong).toBeGreaterThan(0)
    expect(said).toContain('DIFFERENT')
  })
})

describe('a page whose policy forbids inline workers', () => {
  it.skipIf(!chromium && !all)(
    'hears so, and gives a pool the address of the script',
    { timeout: 180_000 },
    async () => {
      const said = await underPolicy("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'", 'strict.html', project)
      expect(said).toEqual({
        inline: expect.stringMatching(/^createPool: the worker could not be started.*"workerUrl"/),
        missing: expect.stringMatching(/^createPool: the worker could not be started from "workerUrl" nowhere.js/),
        served: 'same'
      })
    }
  )
})

describe('a page whose policy lacks wasm-unsafe-eval', () => {
  it.skipIf(!chromium && !all)('hears so from its first verb and from init', { timeout: 180_000 }, async () => {
    expect(chromium, 'Chromium is not installed, and ALL_RUNTIMES is set').toBeTruthy()
    const said = await underPolicy("default-src 'self'; script-src 'self'", 'denied.html', project)
    const clear = { isError: true, message: expect.stringContaining("'wasm-unsafe-eval'") }
    expect(said).toEqual({ verb: clear, init: clear })
  })
})

import { describe, expect, it } from 'vitest'
import { bundlers, hasBundler, weigh } from '../../tools/bundlers.mjs'
import { committed, singles, sourceOf } from '../../tools/sizes.mjs'
import { isCurrent, limited, type Imported } from '../support/sizes.js'

const table = committed()
/** Set where nothing may be skipped. */
const all = Boolean(process.env.ALL_RUNTIMES)
const alone = (await singles()) as Imported[]
const names = Object.keys(bundlers) as (keyof typeof bundlers)[]

describe.each(names)('bundled by %s', (bundler) => {
  const found = hasBundler(bundler)
  if (!found && !all) console.log(`${bundler} is not installed: sizes of its bundles are skipped`)
  const column = names.indexOf(bundler)
  const sizeOf = async (imported: Imported): Promise<number> => weigh(await bundlers[bundler](sourceOf(imported)))

  // test/habits/sizes.test.ts does it for rollup.
  it.skipIf(bundler === 'rollup' || (!found && !all)).each(limited)(
    '$title has at most $limit bytes',
    { timeout: 60_000 },
    async (imported) => {
      const bytes = await sizeOf(imported)
      // The limits are for rollup and webpack. The names that esbuild gives compress worse, by up to 4%.
      expect(bytes).toBeLessThanOrEqual((bundler === 'esbuild' ? 1.04 : 1) * imported.limit)
      expect(isCurrent(bytes, table.get(imported.title)?.[column]), `run node tools/sizes.mjs: ${bytes}`).toBe(true)
    }
  )

  // esbuild takes a tenth of a second, the others a few: they do it where everything is done.
  it.skipIf(!found || (bundler !== 'esbuild' && !all)).each(alone)(
    '$title is as docs/sizes.md says',
    { timeout: 60_000 },
    async (imported) => {
      const bytes = await sizeOf(imported)
      expect(isCurrent(bytes, table.get(imported.title)?.[column]), `run node tools/sizes.mjs: ${bytes}`).toBe(true)
    }
  )
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileTo, folder, MODULES } from '../../tools/kernels.mjs'

describe('the package', () => {
  it.each(Object.entries(MODULES))(
    'is built to the same kernels of %s twice',
    { timeout: 120_000 },
    async (name, abi) => {
      const again = mkdtempSync(join(tmpdir(), 'tersor-'))
      try {
        const out = join(again, `${name}.wasm`)
        await compileTo(out, abi)
        expect(readFileSync(out).equals(readFileSync(join(folder, `${name}.wasm`)))).toBe(true)
      } finally {
        rmSync(again, { recursive: true })
      }
    }
  )
})

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { compressModel, decompressModel, encodeSafetensors, openModel, openTensors } from '../../src/model/index.js'
import type { Recipe } from '../../src/model/index.js'
import type { Input } from '../support/models.js'
import { expectSameBits } from '../support/bits.js'
import { openInputs } from '../support/models.js'
import { normals } from '../support/random.js'

const page = readFileSync(new URL('../../docs/formats.md', import.meta.url), 'utf8')
const block = (language: string): string => page.split(`\`\`\`${language}\n`)[1].split('```')[0]

const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import numpy']).status === 0
)

describe('docs/formats.md', () => {
  it('shows a metadata entry that is one', async () => {
    const entry = block('json')
    const arrays: Input[] = [
      { name: 'fc.weight', shape: [3], data: Uint8Array.of(0x21, 0x43, 0x65) },
      { name: 'fc.weight:scales', shape: [8], data: new Float32Array(8).fill(0.5) },
      { name: 'fc.weight:zeroPoints', shape: [8], data: new Int8Array(8).fill(1) },
      { name: 'fc.weight:mask', shape: [3], data: Uint8Array.of(0b10000001, 0b00110000, 0b11000000) },
      { name: 'head.weight:u', shape: [8, 2], data: normals(16, 1) },
      { name: 'head.weight:v', shape: [9, 2], data: new Int8Array(18).fill(2) },
      { name: 'head.weight:v:scales', shape: [9], data: new Float32Array(9).fill(0.25) },
      { name: 'head.bias', shape: [8], data: normals(8, 2) }
    ]
    const model = await openModel(encodeSafetensors(arrays, { tersor: entry }))
    expect(model.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['fc.weight', 'F32', [4, 6]],
      ['head.weight', 'F16', [8, 9]],
      ['head.bias', 'F32', [8]]
    ])
    // Codes 1 to 6 at the ones of the mask, less the zero point 1, times a half.
    const kept = new Map([0, 7, 12, 13, 22, 23].map((index, i) => [index, i / 2]))
    const expected = Array.from({ length: 24 }, (_, i) => kept.get(i) ?? 0)
    expect([...((await model.read('fc.weight')).data as Float32Array)]).toEqual(expected)
    const u = arrays[4].data as Float32Array
    const product = Float32Array.from({ length: 72 }, (_, i) => {
      const row = Math.floor(i / 9)
      return u[2 * row] * 0.5 + u[2 * row + 1] * 0.5
    })
    expectSameBits((await model.read('head.weight')).data as Float32Array, product)
  })

  const folder = mkdtempSync(join(tmpdir(), 'tersor-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.skipIf(!python)('reads with NumPy what we restore (python3 with numpy)', async () => {
    const inputs: Input[] = [
      { name: 'a', shape: [3, 5, 7], data: normals(105, 1, 3) },
      { name: 'b', shape: [5, 33], data: normals(165, 2) },
      { name: 'c', shape: [64, 96], data: normals(64 * 96, 3).map((x) => x + 0.5) }
    ]
    const recipes: Recipe['quantize'][] = [
      { format: 'int8', axis: 0 },
      { format: 'int8', axis: -1, symmetric: false },
      { format: 'int4', group: 32 },
      { format: 'int4', group: 32, symmetric: false },
      { format: 'int4', group: 4, axis: 1 }
    ]
    writeFileSync(join(folder, 'restore.py'), block('python'))
    for (const quantize of recipes) {
      const { bytes } = await compressModel(await openInputs(inputs), { quantize })
      writeFileSync(join(folder, 'small.safetensors'), bytes!)
      execFileSync(python!, ['restore.py', 'small.safetensors'], { cwd: folder })
      const restored = await openTensors((await decompressModel(await openModel(bytes!))).bytes!)
      for (const { name, shape } of inputs) {
        const array = await (await openTensors(readFileSync(join(folder, `${name}.npy`)))).read('data')
        expect(array).toMatchObject({ dtype: 'F32', shape })
        expectSameBits(array.data as Float32Array, (await restored.read(name)).data as Float32Array)
      }
    }
  })
})

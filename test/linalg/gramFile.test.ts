import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../src/core/errors.js'
import { createGram, gram, openGram } from '../../src/index.js'
import type { Gram } from '../../src/index.js'
import { encodeSafetensors, openModel, openTensors } from '../../src/model/index.js'
import { momentsOracle } from '../oracle/gram.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { readRaw } from '../support/models.js'
import { normals, normals64, seeded } from '../support/random.js'
import { rowsOf, type Table } from '../support/tables.js'

const table: Table<Float32Array<ArrayBuffer>> = { data: normals(3300 * 4, 1), shape: [3300, 4] }

const GRAMS: Record<string, Gram> = {
  empty: createGram(4, { first: 12, center: true }),
  exact: gram(table),
  centred: gram(table, { center: true }),
  'from within a block': gram(rowsOf(table, 700, 3300), { first: 700 }),
  'with gaps': gram(rowsOf(table, 0, 100)).merge(gram(rowsOf(table, 200, 300), { first: 200 })),
  'of f64': gram({ data: normals64(1200, 5), shape: [300, 4] }),
  'of f64 and f32': gram({ data: normals64(1200, 5), shape: [300, 4] }).merge(gram(table, { first: 1024 })),
  'a sketch': gram(table, { directions: 2, center: true }),
  'a sketch of little': gram(rowsOf(table, 0, 3), { directions: 4 })
}

describe.each(Object.entries(GRAMS))('%s', (_, g) => {
  it('comes back to the bit, and goes on', () => {
    const bytes = g.toBytes()
    const back = openGram(bytes)
    expectSameBits(back.toBytes(), bytes)
    expect([back.dimensions, back.center, back.count, back.first, back.directions]).toEqual([
      g.dimensions,
      g.center,
      g.count,
      g.first,
      g.directions
    ])
    // Also from a view, and without hanging on to the bytes.
    const view = new Uint8Array([1, 2, 3, ...bytes]).subarray(3)
    const other = openGram(view)
    view.fill(0)
    for (const each of [back, other, openGram(Buffer.from(bytes))]) {
      expectSameBits(
        each.add(rowsOf(table, 0, 1500)).toBytes(),
        openGram(bytes)
          .add(rowsOf(table, 0, 1500))
          .toBytes()
      )
    }
  })

  it('comes back from a path, a Blob and an ArrayBuffer', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tersor-gram-'))
    try {
      const path = join(folder, 'gram.safetensors')
      g.save(path)
      const bytes = g.toBytes()
      expectSameBits(new Uint8Array(readFileSync(path)), bytes)
      for (const back of [openGram(path), openGram(bytes.buffer), await openGram(new Blob([bytes]))]) {
        expectSameBits(back.toBytes(), bytes)
      }
      await expect(openGram(new Blob([bytes.subarray(0, 20)]))).rejects.toThrow(FormatError)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is a safetensors file whose arrays are aligned', async () => {
    const bytes = g.toBytes()
    const raw = readRaw(bytes)
    const entry = JSON.parse(raw.metadata.tersor) as Record<string, unknown>
    expect(entry).toMatchObject({ kind: 'gram', version: 1, dim: 4, center: g.center, first: g.first })
    expect(entry.directions).toBe(g.directions)
    for (const { dtype, bytes: data } of raw.arrays.values()) {
      expect(data.byteOffset % (dtype === 'F64' ? 8 : 4)).toBe(0)
    }
    const file = await openTensors(bytes)
    expect(file.tensors.map(({ name }) => name).sort()).toEqual([...raw.arrays.keys()].sort())
  })
})

it('holds what docs/formats.md says', () => {
  const raw = readRaw(gram(table).toBytes())
  expect(JSON.parse(raw.metadata.tersor)).toEqual({
    kind: 'gram',
    version: 1,
    dim: 4,
    center: false,
    first: 0,
    nodes: [
      { level: 1, index: 0 },
      { level: 0, index: 2 }
    ],
    runs: [{ first: 3072, count: 228 }]
  })
  const f64 = (name: string): Float64Array => new Float64Array(Uint8Array.from(raw.arrays.get(name)!.bytes).buffer)
  for (const [name, first, end] of [
    ['node0', 0, 2048],
    ['node1', 2048, 3072]
  ] as const) {
    const { mean, scatter } = momentsOracle(rowsOf(table, first, end).data, 4, false)
    expectSameBits(f64(`${name}:mean`), Float64Array.from(mean))
    expectSameBits(f64(`${name}:scatter`), Float64Array.from(scatter.flatMap((row, i) => row.slice(0, i + 1))))
  }
  const { dtype, shape, bytes } = raw.arrays.get('run0')!
  expect([dtype, shape]).toEqual(['F32', [228, 4]])
  expectSameBits(new Float32Array(Uint8Array.from(bytes).buffer), rowsOf(table, 3072, 3300).data.slice())
})

interface Changed {
  entry: Record<string, unknown>
  arrays: Map<string, { shape: number[]; data: Float64Array | Float32Array | Int32Array }>
}

/** The file of a Gram with something changed in it. */
function changed(g: Gram, change: (file: Changed) => unknown): Uint8Array {
  const raw = readRaw(g.toBytes())
  const arrays: Changed['arrays'] = new Map()
  for (const [name, { dtype, shape, bytes }] of raw.arrays) {
    arrays.set(name, {
      shape,
      data: new (dtype === 'F64' ? Float64Array : Float32Array)(Uint8Array.from(bytes).buffer)
    })
  }
  const file: Changed = { entry: JSON.parse(raw.metadata.tersor) as Record<string, unknown>, arrays }
  change(file)
  const tensors = [...file.arrays].map(([name, array]) => ({ name, ...array }))
  return encodeSafetensors(tensors, { tersor: JSON.stringify(file.entry) })
}

describe('what is refused', () => {
  const refuse = (bytes: Uint8Array, code: string, ...parts: (string | RegExp)[]): void => {
    expectError(() => openGram(bytes), FormatError, ...parts)
    try {
      openGram(bytes)
    } catch (error) {
      expect((error as FormatError).code).toBe(code)
    }
  }
  const { exact, centred, 'a sketch': sketch } = GRAMS

  it('what is no file', () => {
    for (const value of [undefined, null, exact, [1], new Float32Array(4), 7]) {
      expectError(
        () => openGram(wrong(value)),
        TypeError,
        'openGram: "input" expected the bytes of a Gram, a Blob or a path, got'
      )
    }
    expect(() => openGram('nowhere.safetensors')).toThrow(/ENOENT/)
    for (const path of [undefined, 3, new Uint8Array(2)]) {
      expectError(() => exact.save(wrong(path)), TypeError, 'save: "path" expected a string, got')
    }
  })

  it('the unchanged file is none of it', () => {
    for (const g of Object.values(GRAMS)) expect(() => openGram(changed(g, () => 0))).not.toThrow()
  })

  it('every file that is cut', () => {
    const bytes = GRAMS['with gaps'].toBytes()
    for (let length = 0; length < bytes.length; length += 7) {
      expectError(() => openGram(bytes.subarray(0, length)), FormatError, 'safetensors: ')
    }
    refuse(bytes.subarray(0, bytes.length - 1), 'truncated')
    refuse(new Uint8Array(100), 'bad-header')
  })

  it('files of something else', async () => {
    const arrays = [{ name: 'a', shape: [1], data: Float32Array.of(1) }]
    refuse(encodeSafetensors(arrays), 'bad-header', 'lacks the tersor metadata of a Gram')
    refuse(encodeSafetensors(arrays, { tersor: '{' }), 'bad-header', 'is not JSON')
    refuse(encodeSafetensors(arrays, { tersor: '3' }), 'bad-header', 'expected an object, got 3')
    const model = { kind: 'model', version: 1 }
    refuse(
      encodeSafetensors(arrays, { tersor: JSON.stringify(model) }),
      'unsupported-version',
      'of kind "model", version 1; expected kind "gram", version 1'
    )
    await expect(openModel(exact.toBytes())).rejects.toThrow('of kind "gram", version 1; expected kind "model"')
  })

  const NODES = [
    { level: 1, index: 0 },
    { level: 0, index: 2 }
  ]
  it.each([
    ['another version', { version: 2 }, 'unsupported-version', 'version 2; expected kind "gram", version 1'],
    ['no dimensions', { dim: 0 }, 'bad-header', 'expected a number of dimensions, got 0'],
    ['dimensions in words', { dim: '4' }, 'bad-header', 'got "4"'],
    ['other dimensions', { dim: 5 }, 'bad-tensor', 'node 0 lacks an array, or has one that does not fit 5 dimensions'],
    ['no center', { center: undefined }, 'bad-header', 'expected center to be true or false, got undefined'],
    ['no first row', { first: null }, 'bad-header', 'expected a first row, got null'],
    ['another first row', { first: 3 }, 'bad-header', 'expected 0 as the first row, got 3'],
    ['directions', { directions: 3 }, 'bad-tensor', 'node 0 lacks an array'],
    ['too many directions', { directions: 5 }, 'bad-header', 'expected a number of directions, got 5'],
    ['no nodes', { nodes: undefined }, 'bad-header', 'expected a list of nodes, got undefined'],
    ['nodes that are none', { nodes: [3] }, 'bad-header', 'expected a list of nodes'],
    ['fewer nodes', { nodes: [NODES[0]] }, 'bad-header', 'knows no array "node1:mean"'],
    ['a node without arrays', { nodes: [...NODES, { level: 0, index: 9 }] }, 'bad-tensor', 'node 2 lacks an array'],
    [
      'a level that is none',
      { nodes: [{ level: -1, index: 0 }] },
      'bad-header',
      'expected nodes with a level and an index'
    ],
    ['a level out of reach', { nodes: [{ level: 1e9, index: 0 }] }, 'bad-header', 'expected nodes with a level'],
    ['an index out of reach', { nodes: [{ level: 0, index: 2 ** 43 }] }, 'bad-header', 'expected nodes with a level'],
    [
      'nodes that overlap',
      { nodes: [NODES[0], { level: 0, index: 1 }] },
      'bad-header',
      'expected rows that are there once'
    ],
    ['no runs', { runs: {} }, 'bad-header', 'expected a list of runs'],
    [
      'a run that is there already',
      { runs: [{ first: 0, count: 228 }] },
      'bad-header',
      'expected rows that are there once'
    ],
    [
      'a run of nothing',
      { runs: [{ first: 3072, count: 0 }] },
      'bad-header',
      'expected runs of rows, each in one leaf'
    ],
    ['a run across leaves', { runs: [{ first: 4000, count: 228 }] }, 'bad-header', 'each in one leaf'],
    [
      'a run of other rows',
      { runs: [{ first: 3072, count: 227 }] },
      'bad-tensor',
      'array "run0" expected shape [227, 4], got [228, 4]'
    ],
    [
      'a run more',
      {
        runs: [
          { first: 3072, count: 228 },
          { first: 4096, count: 1 }
        ]
      },
      'bad-tensor',
      'array "run1" expected shape [1, 4]'
    ]
  ])('%s', (_, part, code, message) => {
    refuse(
      changed(exact, ({ entry }) => Object.assign(entry, part)),
      code,
      message
    )
  })

  it('arrays that do not fit', () => {
    const mend = (g: Gram, name: string, data: Float64Array | Float32Array | Int32Array, shape = [data.length]) =>
      changed(g, ({ arrays }) => arrays.set(name, { shape, data }))
    refuse(mend(exact, 'node0:mean', new Float64Array(3)), 'bad-tensor', 'node 0 lacks an array')
    refuse(mend(exact, 'node0:mean', new Float32Array(4)), 'bad-tensor', 'node 0 lacks an array')
    refuse(
      mend(exact, 'node0:mean', new Int32Array(4)),
      'bad-header',
      'array "node0:mean" expected F64 or F32, got I32'
    )
    refuse(mend(exact, 'node0:scatter', new Float64Array(9)), 'bad-tensor', 'node 0 lacks an array')
    refuse(mend(exact, 'node0:scatter', new Float64Array(10).fill(-1)), 'bad-tensor', 'node 0 lacks an array')
    refuse(mend(exact, 'node7:mean', new Float64Array(4)), 'bad-header', 'knows no array "node7:mean"')
    refuse(mend(exact, 'other', new Float64Array(4)), 'bad-header', 'knows no array "other"')
    refuse(
      changed(exact, ({ arrays }) => arrays.delete('run0')),
      'bad-tensor',
      '"run0" expected shape [228, 4], got undefined'
    )
    for (const bad of [NaN, Infinity]) {
      refuse(
        mend(centred, 'node1:mean', Float64Array.of(0, bad, 0, 0)),
        'bad-tensor',
        '"node1:mean" expected finite numbers'
      )
      const rows = new Float32Array(228 * 4)
      rows[9] = bad
      refuse(mend(centred, 'run0', rows, [228, 4]), 'bad-tensor', '"run0" expected finite numbers')
    }
    refuse(mend(sketch, 'node0:rows', new Float64Array(12), [3, 4]), 'bad-tensor', 'node 0 lacks an array')
    refuse(mend(sketch, 'node0:rows', new Float64Array(8)), 'bad-tensor', 'node 0 lacks an array')
    refuse(mend(sketch, 'node0:totals', Float64Array.of(-1, 2)), 'bad-tensor', 'node 0 lacks an array')
    refuse(mend(sketch, 'node0:totals', Float64Array.of(1)), 'bad-tensor', 'node 0 lacks an array')
  })

  it('numbers that no rows give', () => {
    const put = (g: Gram, name: string, at: number, value: number) =>
      changed(g, ({ arrays }) => {
        arrays.get(name)!.data[at] = value
      })
    const message = 'or that no rows give'
    for (const g of [exact, centred]) {
      refuse(put(g, 'node0:scatter', 1, 1e6), 'bad-tensor', message)
      refuse(put(g, 'node0:scatter', 3, -1e200), 'bad-tensor', message)
      refuse(put(g, 'node0:scatter', 9, 2 ** 1020), 'bad-tensor', message)
      refuse(put(g, 'node0:mean', 2, -(2 ** 481)), 'bad-tensor', message)
    }
    refuse(put(GRAMS['of f64'], 'run0', 7, 2 ** 480), 'bad-tensor', '"run0" expected numbers below')
    refuse(put(sketch, 'node0:rows', 3, 1e5), 'bad-tensor', message)
    refuse(put(sketch, 'node0:rows', 3, 1e300), 'bad-tensor', message)
    refuse(put(sketch, 'node0:totals', 0, 1e9), 'bad-tensor', message)
    refuse(put(sketch, 'node0:totals', 1, 2 ** 1020), 'bad-tensor', message)
    refuse(put(sketch, 'node0:mean', 0, 1e200), 'bad-tensor', message)
  })

  it('numbers at the ends of their range, and constants, come back', () => {
    const fill = (value: (i: number) => number): Table => ({
      data: Float64Array.from({ length: 2048 * 4 }, (_, i) => value(i)),
      shape: [2048, 4]
    })
    for (const t of [
      fill(() => 0),
      fill(() => 0.1),
      fill((i) => 10 ** (100 * (i % 4) - 250)),
      fill((i) => (i % 4 ? 1e-163 : 1e140) * Math.sin(i)),
      fill(() => 1.9 * 2 ** 478),
      fill((i) => 1e9 + (i % 4) * Math.cos(i))
    ]) {
      for (const center of [false, true]) {
        for (const directions of [undefined, 1, 3, 4]) {
          const bytes = gram(t, { center, directions }).toBytes()
          expectSameBits(openGram(bytes).toBytes(), bytes)
        }
      }
    }
  })

  it('nodes that could be one, and runs that touch, are put together', () => {
    const left = gram(rowsOf(table, 0, 1024))
    const right = gram(rowsOf(table, 1024, 2048), { first: 1024 })
    const whole = readRaw(right.toBytes()).arrays
    const f64 = (name: string): Float64Array => new Float64Array(Uint8Array.from(whole.get(name)!.bytes).buffer)
    const bytes = changed(left, ({ entry, arrays }) => {
      ;(entry.nodes as unknown[]).push({ level: 0, index: 1 })
      for (const name of ['mean', 'scatter']) {
        const data = f64(`node0:${name}`)
        arrays.set(`node1:${name}`, { shape: [data.length], data })
      }
    })
    expectSameBits(openGram(bytes).toBytes(), gram(rowsOf(table, 0, 2048)).toBytes())
  })

  it('any damage is a FormatError, or is read', () => {
    const random = seeded(3)
    const original = GRAMS['a sketch'].toBytes()
    for (let k = 0; k < 3000; k++) {
      const bytes = original.slice()
      // Mostly in the header.
      const reach = random() < 0.8 ? 500 : bytes.length
      for (let n = 0; n < 3; n++) bytes[Math.floor(random() * reach)] = Math.floor(random() * 256)
      try {
        openGram(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError)
      }
    }
  })
})

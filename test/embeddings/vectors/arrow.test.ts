import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { readVectors, type ArrowLibrary, type ArrowTable } from '../../../src/embeddings/vectors/readVectors.js'
import { packaged } from '../../conformance/targets/find.mjs'

const found = packaged('apache-arrow/package.json') as string | undefined
if (!found) console.log('apache-arrow is not installed (npm ci in test/conformance): its tables are skipped')

/** What is used here; it is not there to be imported from. */
interface Arrow extends ArrowLibrary {
  readonly Field: new (name: string, type: unknown, nullable: boolean) => unknown
  readonly FixedSizeList: new (size: number, item: unknown) => unknown
  readonly List: new (item: unknown) => unknown
  readonly Utf8: new () => unknown
  readonly Float16: new () => unknown
  readonly Float32: new () => unknown
  readonly Float64: new () => unknown
  readonly Table: new (columns: object) => ArrowTable & { slice(start: number, end: number): ArrowTable }
  vectorFromArray(values: readonly unknown[], type: unknown): unknown
  tableToIPC(table: ArrowTable, kind: 'file' | 'stream'): Uint8Array
}
const arrow = found ? (createRequire(found)('apache-arrow') as Arrow) : (undefined as never)

const rows = [
  [1, -2.5, 0.125],
  [4, 5, 6.5],
  [0, 0.25, -3]
]
const vectors = { data: Float32Array.from(rows.flat()), shape: [3, 3] }

describe.skipIf(!found)('apache-arrow', () => {
  describe.each(['Float64', 'Float32', 'Float16'] as const)('%s', (type) => {
    const table = (list: 'FixedSizeList' | 'List') => {
      const item = new arrow.Field('item', new arrow[type](), true)
      const kind = list === 'List' ? new arrow.List(item) : new arrow.FixedSizeList(3, item)
      return new arrow.Table({
        id: arrow.vectorFromArray(['a', 'b', 'c'], new arrow.Utf8()),
        vec: arrow.vectorFromArray(rows, kind)
      })
    }

    it.each(['FixedSizeList', 'List'] as const)('as a table with a %s', async (list) => {
      const read = await readVectors(table(list))
      expect(read).toEqual({ vectors, ids: ['a', 'b', 'c'], records: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] })
    })

    it('as a part of a table', async () => {
      const part = table('FixedSizeList').slice(1, 3)
      expect((await readVectors(part)).vectors).toEqual({ data: vectors.data.slice(3), shape: [2, 3] })
    })

    it.each(['file', 'stream'] as const)('as a %s', async (kind) => {
      const bytes = arrow.tableToIPC(table('List'), kind)
      expect((await readVectors(bytes, { arrow })).vectors).toEqual(vectors)
    })
  })
})

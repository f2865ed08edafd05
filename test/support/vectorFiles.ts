import { parquetWriteBuffer } from 'hyparquet-writer'
import { encodeNpy } from '../../src/files/npy.js'
import { concat } from './files.js'

/** Two vectors, as every format holds them. */
export const rows = [
  [1, -2.5, 3e-7],
  [0.25, 0, -0.125]
]
export const expected = Float32Array.from(rows.flat())
export const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)

/** The bytes of a .fvecs, .ivecs or .bvecs file. */
export function vecs(
  vectors: readonly number[][],
  Type: typeof Float32Array | typeof Int32Array | typeof Uint8Array
): Uint8Array<ArrayBuffer> {
  return concat(
    ...vectors.flatMap((vector) => [
      new Uint8Array(Int32Array.of(vector.length).buffer),
      new Uint8Array(Type.from(vector).buffer)
    ])
  )
}

/** The same with an id and a text each. */
export const withIds = rows.map((embedding, i) => ({ id: i + 7, text: `t${i}`, embedding }))

export const npy = encodeNpy({ shape: [2, 3], data: expected })

export const table = parquetWriteBuffer({
  columnData: [
    { name: 'id', data: [7n, 8n] },
    { name: 'text', data: ['t0', 't1'] },
    { name: 'embedding', data: rows }
  ],
  schema: [
    { name: 'root', num_children: 3 },
    { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
    { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    { name: 'embedding', num_children: 1, converted_type: 'LIST', repetition_type: 'OPTIONAL' },
    { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
    { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' }
  ]
})

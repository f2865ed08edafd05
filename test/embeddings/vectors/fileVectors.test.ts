import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FormatError } from '../../../src/core/errors.js'
import { createIndex } from '../../../src/embeddings/search/createIndex.js'
import { fileVectors } from '../../../src/embeddings/vectors/fileVectors.js'
import { encodeNpy } from '../../../src/files/npy.js'
import { encodeSafetensors } from '../../../src/files/safetensorsWriter.js'
import { PlainIndex } from '../../oracle/embeddings/search/search.js'
import { wrong } from '../../support/errors.js'
import { expectHits, flat, hitsOf, plainCodec, wholeVectors } from '../../support/indices.js'

const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
afterAll(() => rmSync(folder, { recursive: true }))

const vectors = wholeVectors(5000, 9, 1)
const table = flat(vectors, 9)
const halves = new Uint16Array([0, 0x3c00, 0xc000, 0x4000])

async function expectCode(run: Promise<unknown>, code: string, part: string): Promise<void> {
  const error: unknown = await run.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(FormatError)
  expect((error as FormatError).code).toBe(code)
  expect((error as FormatError).message).toContain(part)
}

describe('vectors of a file', () => {
  it.each(['npy', 'safetensors'])('score candidates: %s', async (format) => {
    const path = join(folder, `table.${format}`)
    const other = { name: 'labels', shape: [3], data: new Int32Array(3) }
    writeFileSync(path, format === 'npy' ? encodeNpy(table) : encodeSafetensors([other, { name: 'table', ...table }]))
    const plain = new PlainIndex('l2')
    plain.add(vectors)
    const index = createIndex(plainCodec(9, 'l2'))
    index.add(table)
    const rescore = fileVectors(path)
    const queries = wholeVectors(20, 9, 2)
    const results = await index.searchAsync(queries, { rescore, k: 7 })
    queries.forEach((query, row) => expectHits(hitsOf(results, row), plain.search(query, 7)))
    await rescore.close()
    await rescore.close()
    await expect(rescore([0])).rejects.toThrow('closed')
  })

  it('come in the order that they are asked for, from near and far', async () => {
    const read = fileVectors(encodeNpy(table))
    for (const ids of [[], [0], [4999, 0, 17, 18, 4998], [3, 3, 2]]) {
      const { data, shape } = (await read(ids)) as { data: Float32Array; shape: number[] }
      expect(shape).toEqual([ids.length, 9])
      expect([...data]).toEqual(ids.flatMap((id) => vectors[id]))
    }
    await expect(read([5000])).rejects.toThrow('fileVectors: expected ids below 5000, the rows of the file, got 5000')
    await expect(read(wrong(['1']))).rejects.toThrow('expected ids below 5000, the rows of the file, got "1"')
    await expect(read(wrong(undefined))).rejects.toThrow('"ids" expected an array of whole numbers, got undefined')
    expect(await read(Int32Array.of(2, 2))).toEqual(await read([2, 2]))
    await expect(read([-1])).rejects.toThrow('got -1')
    await read.close()
  })

  it('may be halves, and say so', async () => {
    const half = encodeSafetensors([{ name: 'a', dtype: 'F16', shape: [2, 2], data: halves }])
    expect(await fileVectors(half)([1])).toEqual({ data: halves.subarray(2), shape: [1, 2], dtype: 'f16' })
    const index = createIndex(plainCodec(2, 'dot'))
    index.add([
      [9, 9],
      [1, 1]
    ])
    const hits = hitsOf(await index.searchAsync([1, 1], { rescore: fileVectors(half) }))
    expect(hits).toEqual([
      { id: 0, score: 1 },
      { id: 1, score: 0 }
    ])
  })

  it('are refused where a file has none, or several', async () => {
    const two = encodeSafetensors([
      { name: 'a', ...flat([[1, 2]], 2) },
      { name: 'b', ...flat([[3, 4]], 2) }
    ])
    await expectCode(fileVectors(two)([0]), 'bad-tensor', '"a", "b"; say which one by "tensor"')
    expect(await fileVectors(two, { tensor: 'b' })([0])).toMatchObject({ data: new Float32Array([3, 4]) })
    await expectCode(fileVectors(two, { tensor: 'c' })([0]), 'bad-tensor', 'a tensor "c"')
    await expectCode(fileVectors(encodeNpy({ data: new Int32Array(4), shape: [2, 2] }))([0]), 'bad-tensor', 'got none')
    const fortran = encodeNpy(
      flat(
        [
          [1, 2],
          [3, 4]
        ],
        2
      )
    )
    const text = new TextDecoder('latin1').decode(fortran).replace("'fortran_order': False", "'fortran_order': True ")
    await expectCode(fileVectors(Uint8Array.from(text, (c) => c.charCodeAt(0)))([0]), 'bad-tensor', 'ascontiguousarray')
    await expectCode(fileVectors(new Uint8Array(20))([0]), 'unknown-format', '.npy')
    await expect(fileVectors(join(folder, 'none'))([0])).rejects.toThrow('ENOENT')
    expect(() => fileVectors(two, wrong({ name: 'a' }))).toThrow('unknown option "name"')
    expect(() => fileVectors(two, wrong({ tensor: 3 }))).toThrow('fileVectors: "tensor"')
  })
})

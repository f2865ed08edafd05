import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { gram } from '../../src/index.js'
import { openTensors } from '../../src/model/index.js'
import { symmetricEigenvaluesOracle } from '../oracle/linalg.js'
import { rowsOf, type Table } from '../support/tables.js'

const path = fileURLToPath(new URL('../../../shared/data/glosses-embeddings-20000x384.npy', import.meta.url))
const isThere = existsSync(path)
if (!isThere) console.log('../shared/data/glosses-embeddings-20000x384.npy is not here: its tests are skipped')

describe.skipIf(!isThere)('embeddings of glosses (../shared/data)', () => {
  const read = async (): Promise<Table<Float32Array<ArrayBuffer>>> => {
    const { data } = await (await openTensors(readFileSync(path))).read('data')
    return { data: data as Float32Array<ArrayBuffer>, shape: [20000, 384] }
  }

  it('components are those of the matrix', async () => {
    const t = await read()
    const g = gram(t, { center: true })
    const { s, energy, variances } = g.pca({ rank: 64, dtype: 'float64' })
    const few = gram(rowsOf(t, 0, 2000), { center: true })
    // The plain eigenvalues of all 384 take long: of the components' own space, those of the leading corner are enough.
    const corner = Float64Array.from(
      { length: 40 * 40 },
      (_, at) => few.matrix().data[Math.floor(at / 40) * 384 + (at % 40)]
    )
    const data = Float32Array.from({ length: 2000 * 40 }, (_, at) => t.data[Math.floor(at / 40) * 384 + (at % 40)])
    const small = gram({ data, shape: [2000, 40] }, { center: true }).pca({ rank: 40, dtype: 'float64' })
    const eigenvalues = symmetricEigenvaluesOracle(corner, 40)
    small.s.data.forEach((x, k) => expect(Math.abs(x ** 2 - eigenvalues[k])).toBeLessThan(1e-12 * eigenvalues[0]))
    let trace = 0
    const matrix = g.matrix().data
    for (let i = 0; i < 384; i++) trace += matrix[i * 385]
    expect(Array.from(s.data).reduce((sum, x) => sum + x * x, 0) / trace).toBeCloseTo(energy, 12)
    expect(energy).toBeGreaterThan(0.3)
    expect(variances.data[0]).toBe(s.data[0] ** 2 / 19999)
  })
})

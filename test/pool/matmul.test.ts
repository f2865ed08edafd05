import { describe, expect, it } from 'vitest'
import { matmul } from '../../src/index.js'
import { checkCall, checkError, expectSame } from '../support/pool.js'
import { check, checkWays, pools, tensor } from '../support/poolProducts.js'
import { index, seeded } from '../support/random.js'

describe('cut into rows and columns', () => {
  it.each([
    [1, 1, 1],
    [256, 40, 512],
    [257, 40, 513],
    [5000, 3, 40],
    [7, 30, 20000],
    [3, 9000, 160],
    [2000, 300, 1],
    [1, 300, 4000],
    [1, 200_000, 1],
    [1000, 1, 1000]
  ])('%i x %i x %i', (m, k, n) => checkWays([m, k], [k, n]))
})

describe('cut into products', () => {
  it.each([
    [
      [400, 20, 30],
      [400, 30, 25]
    ],
    [
      [70, 90, 80],
      [80, 70]
    ],
    [
      [4, 1, 90, 80],
      [5, 80, 70]
    ],
    [
      [90, 70],
      [30, 70, 80]
    ],
    [
      [100, 1, 9, 8],
      [90, 8, 7]
    ],
    [
      [1, 50, 30, 40],
      [20, 1, 40, 20]
    ],
    [
      [30_000, 2, 1],
      [30_000, 1, 2]
    ],
    [
      [200_000, 1, 1],
      [200_000, 1, 1]
    ],
    [
      [40, 300, 1],
      [40, 1, 300]
    ]
  ] as [number[], number[]][])('%j by %j', checkWays)
})

it.each([
  [
    [0, 5],
    [5, 3]
  ],
  [
    [5, 0],
    [0, 3]
  ],
  [
    [900, 0],
    [0, 900]
  ],
  [
    [0, 4, 5],
    [5, 3]
  ],
  [
    [3, 0, 5],
    [3, 5, 0]
  ],
  [
    [2, 400, 0],
    [2, 0, 500]
  ]
] as [number[], number[]][])('%j by %j, empty', checkWays)

it('nested arrays, whole numbers, half bits', async () => {
  const patterns = Uint16Array.from({ length: 300 * 400 }, (_, i) => (i * 77) % 15000)
  const halves = { data: patterns, shape: [300, 400], dtype: 'float16' }
  const brains = { data: patterns, shape: [400, 300], dtype: 'bfloat16' }
  const whole = { data: Int32Array.from(patterns, (x) => x * 1001), shape: [400, 300] }
  const nested = Array.from({ length: 400 }, (_, i) => [i, -i, 0.5])
  for (const args of [
    [halves, brains],
    [halves, whole],
    [halves, nested],
    [whole, halves]
  ]) {
    await check({ verb: 'matmul', args })
    if (args[1] !== nested) await check({ verb: 'matmul', args, options: { transposeA: true, transposeB: true } })
  }
})

it('out is written to and returned', async () => {
  const [a, b] = [tensor([600, 300], 1), tensor([300, 700], 2)]
  const expected = matmul(a, b).data
  for (const pool of pools) {
    const out = new Float32Array(600 * 700).fill(NaN)
    const product = await pool.matmul(a, b, { out })
    expect(product.data).toBe(out)
    expectSame(out, expected)
  }
})

describe('what is not finite', () => {
  it('is named as on one thread, wherever it is', async () => {
    const random = seeded(5)
    for (let count = 0; count < 6; count++) {
      const [a, b] = [tensor([600, 500], 1), tensor([500, 700], 2)]
      for (const data of count % 3 === 0 ? [a.data] : count % 3 === 1 ? [b.data] : [a.data, b.data]) {
        for (let spot = 0; spot < 3; spot++) data[index(random, data.length)] = [NaN, Infinity, -Infinity][spot]
      }
      await checkError(
        pools,
        { verb: 'matmul', args: [a, b] },
        /^matmul: "[ab]" expected finite numbers, got .* at index/
      )
    }
  })

  it('a product beyond its type', async () => {
    const large = { data: new Float32Array(600 * 600).fill(1e38), shape: [600, 600] }
    await checkError(pools, { verb: 'matmul', args: [large, large] }, 'beyond float32')
  })

  it('in what nothing comes from', async () => {
    await checkCall(pools, { verb: 'matmul', args: [tensor([0, 2], 1), [[NaN], [1]]] })
  })
})

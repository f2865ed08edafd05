import { describe, it } from 'vitest'
import { checkWays } from '../support/poolProducts.js'

describe('cut into rows and columns', () => {
  it.each([
    [600, 700, 900],
    [150, 9000, 150]
  ])('%i x %i x %i', (m, k, n) => checkWays([m, k], [k, n]))
})

describe('cut into products', () => {
  it.each([
    [
      [3, 400, 300],
      [3, 300, 600]
    ],
    [
      [3, 400, 300],
      [1, 300, 600]
    ]
  ] as [number[], number[]][])('%j by %j', checkWays)
})

import { cutsOf, type Cut } from './quantize.js'
import { CHUNK } from './pool.js'

/** Tensors of more than one chunk, cut into sets in every way that chunks have to respect. */
export const CHUNKED_CUTS: readonly Cut[] = [
  ...[undefined, 64, 33, CHUNK - 1, CHUNK, CHUNK + 1, 300000].map((group) => ({ shape: [3, CHUNK + 1], group })),
  { shape: [3, CHUNK + 1], axis: 0 },
  { shape: [3, CHUNK + 1], axis: 1 },
  { shape: [2, 400001], axis: 0 },
  { shape: [2, 400001], axis: -1 },
  { shape: [2, 400001], group: 100003 },
  { shape: [150001, 3], axis: 1 },
  { shape: [150001, 3], axis: 0 },
  { shape: [150001, 3], axis: 1, group: 33 },
  { shape: [300001, 3], axis: 1, group: CHUNK + 3 },
  ...cutsOf([7, 101, 503], [undefined, 5, 999]).filter(({ axis }) => axis === undefined || axis >= 0),
  ...cutsOf([5, 5000, 13], [undefined, 4, 20001]).filter(({ axis }) => axis === undefined || axis < 0),
  { shape: [2, 3, 131073], axis: 1 },
  { shape: [2, 3, 131073], axis: 1, group: 200000 },
  { shape: [600, 2, 501], axis: 1 },
  { shape: [600, 2, 501], axis: 0 },
  { shape: [777, 1001], axis: 0 },
  { shape: [777, 1001], group: 7 },
  { shape: [777, 1001], axis: 1 },
  { shape: [700001], group: 300000 },
  { shape: [700001], group: CHUNK },
  { shape: [300001], group: 1 },
  { shape: [300001], axis: 0 },
  { shape: [300001], axis: 0, group: 3 },
  { shape: [1, 1, 300001], axis: -1 },
  { shape: [1, 1, 600001], axis: 0 },
  { shape: [4, 1, 200003], axis: 1 },
  { shape: [1000003, 1], axis: 1 },
  { shape: [300003, 1], axis: 0, group: 9 },
  { shape: [4, 5, 160, 170], axis: -2, group: 50 }
]

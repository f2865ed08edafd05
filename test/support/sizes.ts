import { GROUPS } from '../../tools/sizes.mjs'

/** Most decimal KB, minified and gzipped, that a group of names may weigh by rollup and webpack. */
export const LIMITS: Readonly<Record<string, number>> = {
  '`quantize`': 11,
  '`quantize`, `dequantize`, `fakeQuantize`': 13,
  '`prune`, `applyMask`': 10,
  '`distillationLoss`': 10,
  '`matmul`': 14,
  '`svd`': 30,
  'all of `tersor`': 80,
  '`openModel`': 26,
  '`openIndex`, which searches': 45,
  '`paretoPlot`': 5,
  'a pool of `quantizing` alone, with its worker': 70
}

export interface Imported {
  title: string
  entry: string
  names?: string[]
}

/** Groups that have a limit, with it. */
export const limited = (GROUPS as Imported[])
  .filter(({ title }) => title in LIMITS)
  .map((imported) => ({ ...imported, limit: 1000 * LIMITS[imported.title]! }))

/** How far, as a share, the committed table may be from what a bundler gives. */
export const TOLERANCE = 0.02

export const isCurrent = (bytes: number, said: number | undefined): boolean =>
  said !== undefined && Math.abs(bytes - said) <= TOLERANCE * said

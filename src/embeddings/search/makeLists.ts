import { createEngine, frame } from '../codingEngine.js'
import { kmeans } from '../codec/fit/kmeans.js'
import { Coarse } from './coarse.js'
import type { Collection } from './collection.js'
import { Lists } from './lists.js'
import { eachBatch, rowsInBatch } from './batches.js'

/** Rows for each list that lists are made from at most. */
const MOST_ROWS = 64
const ITERATIONS = 12

/** Makes lists of the rows that a collection has in one, by k-means over decoded rows, and moves the rows there. */
export function makeLists(collection: Collection, lists: number, seed: number): void {
  const { engine, codes, size } = collection
  const { codec, store } = codes
  const coarse = new Coarse(engine, fitCentroids(collection, lists, seed), lists, codec.metric)

  const numbers = new Uint16Array(size)
  const step = rowsInBatch(store.form.rowBytes)
  frame(engine, (memory) => {
    const rows = memory.alloc(store.form.rowBytes * Math.min(step, size))
    eachBatch(size, step, (first, count) => {
      store.take(rows, first, count)
      numbers.set(coarse.numbersOf(engine, codec, rows, count), first)
    })
  })
  const counts = new Uint32Array(lists)
  for (const number of numbers) counts[number]!++
  const made = new Lists(lists)
  made.layOut(counts)
  const places = new Uint32Array(lists)
  const to = Uint32Array.from(numbers, (number) => made.all[number]!.positionOf(places[number]!++))
  collection.rearrange(to, made)
  collection.coarse = coarse
}

/** Centroids of a sample. It needs much room for a while, hence an engine that is given up again. */
function fitCentroids({ engine, codes, size }: Collection, lists: number, seed: number): Float32Array<ArrayBuffer> {
  const { codec, store } = codes
  const { inner } = codec
  const count = Math.min(size, MOST_ROWS * lists)
  const own = createEngine()
  const sample = own.memory.alloc(4 * inner * count)
  const step = rowsInBatch(4 * inner)
  frame(engine, (memory) => {
    const code = memory.alloc(store.form.rowBytes * step)
    const rows = memory.alloc(4 * inner * step)
    eachBatch(count, step, (first, length) => {
      // Evenly over all rows: i size / count, rounded down.
      for (let i = 0; i < length; i++) {
        store.take(code + i * store.form.rowBytes, Math.floor(((first + i) * size) / count), 1)
      }
      codec.decode(rows, code, length)
      own.memory.f32(sample + 4 * inner * first, inner * length).set(memory.f32(rows, inner * length))
    })
  })
  const centroids = own.memory.alloc(4 * inner * lists)
  kmeans(own, centroids, sample, count, inner, lists, { seed, iterations: ITERATIONS })
  return own.memory.f32(centroids, inner * lists).slice()
}

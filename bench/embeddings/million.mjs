// A million vectors of 768 dimensions at 2 bits: bytes, opening, the ten nearest. Codes are made up, which costs nothing and scans like any.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIndex, fitCodec, openIndex } from '../../build/embeddings.js'
import { asked, check, interleave, milliseconds, normal } from '../harness.mjs'

const ROWS = 1_000_000
const DIM = 768
const BATCH = 50_000
const MOST_BYTES = 210e6
const MOST_OPEN = 300
const MOST_SEARCH = 40

/** Rows of codes: bits at random, factors of vectors of about unit length. */
function madeUp(bytes, first) {
  const data = new Uint8Array(BATCH * bytes)
  const words = new Uint32Array(data.buffer, 0, data.length >> 2)
  let state = first + 1
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  const view = new DataView(data.buffer)
  for (let row = 0; row < BATCH; row++) {
    view.setFloat32(row * bytes + DIM / 4, 1 / 28, true)
    view.setFloat32(row * bytes + DIM / 4 + 4, 0, true)
  }
  return { data, shape: [BATCH, bytes] }
}

export async function run(report) {
  const codec = fitCodec({ data: normal(256 * DIM, 1), shape: [256, DIM] }, { bits: 2, centroids: 1 })
  const index = createIndex(codec)
  const start = performance.now()
  for (let first = 0; first < ROWS; first += BATCH) index.addCodes(madeUp(codec.bytesPerVector, first))
  const added = performance.now() - start
  const folder = mkdtempSync(join(tmpdir(), 'million-'))
  try {
    const path = join(folder, 'index.safetensors')
    const saving = performance.now()
    index.save(path)
    const saved = performance.now() - saving
    const query = normal(DIM, 2)
    const found = index.search(query).ids.data
    let opened
    // One at a time: an index that was opened is let go before the next.
    const open = () => {
      opened = undefined
      opened = openIndex(path)
    }
    const times = await interleave({ open }, { rounds: 5, warmup: 1 })
    check(opened.search(query).ids.data.join() === found.join(), 'an index that was opened finds something else')
    const search = () => opened.search(query)
    const half = new Uint8Array(ROWS / 8).fill(0x55)
    const filtered = () => opened.search(query, { filter: half })
    const searches = await interleave({ search, filtered }, { rounds: 9 })
    report(
      'A million vectors of 768 dimensions at 2 bits',
      ['', '', ''],
      [
        ['bytes of the file', `${(statSync(path).size / 1e6).toFixed(1)} MB`, ''],
        ['bytes of the index, added', `${(index.bytes / 1e6).toFixed(1)} MB`, ''],
        ['bytes of the index, opened', ...within(opened.bytes / 1e6, MOST_BYTES / 1e6, 'MB')],
        ['codes added', milliseconds(added), ''],
        ['saved', milliseconds(saved), ''],
        ['opened from a file in cache', ...within(times.open, MOST_OPEN, 'ms')],
        ['ten nearest', ...within(searches.search, MOST_SEARCH, 'ms')],
        ['ten nearest, every other row', milliseconds(searches.filtered), '']
      ]
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const within = (got, most, unit) => [`${got.toFixed(1)} ${unit}`, asked('', got <= most, `<= ${most} ${unit}`).trim()]

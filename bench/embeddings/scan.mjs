// Scans over packed codes, by the kernels alone: a query's scores of all rows, factors applied, in cache.
import { asked, check, interleave, normal, times } from '../harness.mjs'
import { kernelsOver } from '../kernels.mjs'

/** Bytes of codes that a scan passes over: they stay in the second-level cache. */
const BYTES = 3 * 2 ** 17
/** Rows of the second float32 scan: as many as of the codes, which for float32 are in the third-level cache at best. */
const MANY = 2048
const ROUNDS = 9

/** Seeded bytes. */
function noise(view) {
  let state = 1
  for (let i = 0; i < view.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    view[i] = state >>> 24
  }
}

/** A case: `codes` bytes of 32 rows, `factors`, and the scan of so many blocks into scores. */
function prepare(engine, { codes, factors, whole, query, scan, fill = noise, rows }) {
  const { memory, kernels, alloc } = engine
  const stride = codes + 128 * factors
  const count = rows ? rows / 32 : Math.max(1, Math.floor(BYTES / stride))
  const blocks = alloc(stride * count)
  const scores = alloc(128 * count)
  const data = query()
  fill(new Uint8Array(memory.buffer, blocks, stride * count))
  for (let b = 0; b < count; b++) {
    new Float32Array(memory.buffer, blocks + b * stride + codes, 32 * factors).fill(0.5)
  }
  const run = () => {
    scan(scores, blocks, stride, count, data)
    kernels.finishScores(scores, blocks + codes, stride, count, whole ? 1 : 0, factors, 1.5, 0.25, 0, 0)
  }
  return { run, rows: 32 * count }
}

/** What makes a query and scans blocks, for each family of kernels. */
function families({ memory, kernels, alloc }, d) {
  const q = alloc(4 * d)
  new Float32Array(memory.buffer, q, d).set(normal(d, 2))
  const result = alloc(16)
  const levels = alloc(64)
  const build = (bits) => () => {
    new Float32Array(memory.buffer, levels, 16).set(Array.from({ length: 16 }, (_, i) => i - (2 ** bits - 1) / 2))
    const tables = alloc(bits === 3 ? 16 * d : 4 * bits * d)
    kernels.buildScalarTables(tables, result, q, levels, d, bits, 0)
    return tables
  }
  const tables = (bits, exact = 0) => ({
    codes: 4 * bits * d,
    factors: 2,
    whole: true,
    query: build(bits),
    scan: (to, from, stride, count, data) =>
      kernels.scanTables(to, from, stride, count, data, (bits * d) / 8, exact, 15)
  })
  const bytes = (bits) => ({
    codes: 4 * bits * d,
    factors: 2,
    whole: false,
    query: () => {
      const data = alloc(4 * d)
      kernels.buildByteQuery(data, result, 0, q, d, bits)
      return data
    },
    scan: (() => {
      const scratch = alloc(4 * d)
      return (to, from, stride, count, data) =>
        kernels.scanBytes(to, from, stride, count, data, (bits * d) / 8, bits, 255, 15, scratch)
    })()
  })
  const whole = (bits) => ({
    codes: 4 * bits * d,
    factors: 0,
    whole: false,
    query: () => q,
    // Numbers as embeddings have them: subnormals cost some processors extra time.
    fill: ({ buffer, byteOffset, byteLength }) => {
      if (bits === 32) return new Float32Array(buffer, byteOffset, byteLength / 4).set(normal(byteLength / 4, 5))
      const values = alloc(2 * byteLength)
      new Float32Array(memory.buffer, values, byteLength / 2).set(normal(byteLength / 2, 5))
      kernels.encodeF16(byteOffset, values, byteLength / 2)
    },
    scan: (to, from, stride, count, data) =>
      bits === 32
        ? kernels.scanFloats(to, from, stride, count, data, 4 * d, 0)
        : kernels.scanHalves(to, from, stride, count, data, 2 * d, 0, 0x8fff, 239 << 23)
  })
  return { q, build, tables, bytes, whole }
}

function cases(engine, d) {
  const { kernels, alloc } = engine
  const { q, build, tables, bytes, whole } = families(engine, d)
  return {
    'float32, 4 rows a pass': whole(32),
    [LARGE]: { ...whole(32), rows: MANY },
    float16: whole(16),
    '1 bit': tables(1),
    '1 bit, exact': tables(1, 1),
    '2 bits': tables(2),
    '3 bits': {
      codes: 12 * d,
      factors: 2,
      whole: true,
      query: build(3),
      scan: (to, from, stride, count, data) =>
        kernels.scanThreeBits(to, from, stride, count, data, d / 8, 0, 15, 0x44, 7)
    },
    '4 bits': tables(4),
    '5 bits': bytes(5),
    '6 bits': bytes(6),
    '7 bits': bytes(7),
    '8 bits': bytes(8),
    '96 sub-spaces of 4 bits': {
      codes: 96 * 16,
      factors: 0,
      whole: true,
      query: build(1),
      scan: (to, from, stride, count, data) => kernels.scanTables(to, from, stride, count, data, 48, 0, 15)
    },
    Hamming: {
      codes: 4 * d,
      factors: 0,
      whole: true,
      query: () => {
        const data = alloc(2 * d)
        kernels.spreadBytes(data, q, d / 8)
        return data
      },
      scan: (to, from, stride, count, data) => kernels.scanSigns(to, from, stride, count, data, d / 8, 255)
    }
  }
}

/** What one would write: a loop over rows in a Float32Array. */
function plain(d) {
  const rows = Math.floor(BYTES / (4 * d))
  const table = normal(rows * d, 3)
  const q = normal(d, 4)
  const scores = new Float32Array(rows)
  const run = () => {
    for (let r = 0; r < rows; r++) {
      let sum = 0
      for (let i = 0, at = r * d; i < d; i++, at++) sum += table[at] * q[i]
      scores[r] = sum
    }
  }
  return { run, rows }
}

const LARGE = `float32, ${MANY} rows`
const LIMITS = { '1 bit': 15, '2 bits': 8, '4 bits': 3, '8 bits': 3, '96 sub-spaces of 4 bits': 25 }

async function scans(report, d) {
  const engine = kernelsOver(2048)
  const all = { 'float32, plain loop': plain(d) }
  for (const [name, options] of Object.entries(cases(engine, d))) all[name] = prepare(engine, options)
  const repeated = Object.fromEntries(
    Object.entries(all).map(([name, { run, rows }]) => {
      // As many passes as take about a millisecond.
      const passes = Math.max(
        1,
        Math.round((name.includes('plain') ? 500 : name.includes('float') ? 5000 : 20000) / rows)
      )
      all[name].scored = rows * passes
      return [
        name,
        () => {
          for (let i = 0; i < passes; i++) run()
        }
      ]
    })
  )
  const ms = await interleave(repeated, { rounds: ROUNDS, warmup: 4, settle: 30 })
  const speed = (name) => all[name].scored / ms[name] / 1e3
  const base = speed('float32, 4 rows a pass')
  const large = speed(LARGE)
  check(base > 0, 'a speed')
  report(
    `scans of ${d} dimensions, in cache`,
    ['', 'million vectors/s', 'against float32 in level 2', `against ${LARGE}`],
    Object.keys(all).map((name) => {
      const ratio = speed(name) / base
      const limit = d === 1536 ? LIMITS[name] : undefined
      let against = times(speed(name), base)
      if (name.includes('plain')) against = asked(`1/${(1 / ratio).toFixed(1)}`, ratio <= 1 / 5, 'at most a fifth')
      const other = limit
        ? asked(times(speed(name), large), speed(name) / large >= limit, `at least ${limit}x`)
        : times(speed(name), large)
      if (limit) against = asked(against, ratio >= limit, `at least ${limit}x`)
      const figure = speed(name).toFixed(1)
      return [
        name,
        name === 'Hamming' && d === 1536 ? asked(figure, speed(name) >= 60, 'at least 60') : figure,
        against,
        other
      ]
    })
  )
}

async function queries(report) {
  const engine = kernelsOver(2048)
  const { memory, kernels, alloc } = engine
  const rows = []
  for (const d of [384, 1536]) {
    const q = alloc(4 * d)
    new Float32Array(memory.buffer, q, d).set(normal(d, 2))
    const levels = alloc(64)
    new Float32Array(memory.buffer, levels, 16).set(Array.from({ length: 16 }, (_, i) => i - 7.5))
    const tables = alloc(16 * d)
    const result = alloc(16)
    const repeat = (run) => () => {
      for (let i = 0; i < 100; i++) run()
    }
    const kinds = Object.fromEntries(
      [1, 2, 3, 4].map((bits) => [
        `${bits} bit${bits > 1 ? 's' : ''}`,
        repeat(() => kernels.buildScalarTables(tables, result, q, levels, d, bits, 0))
      ])
    )
    kinds['8 bits'] = repeat(() => kernels.buildByteQuery(tables, result, 0, q, d, 8))
    const ms = await interleave(kinds, { rounds: ROUNDS, warmup: 4, settle: 30 })
    rows.push([d, ...Object.values(ms).map((time) => `${(10 * time).toFixed(1)} us`)])
  }
  report('what a query is made into', ['dimensions', '1 bit', '2 bits', '3 bits', '4 bits', '8 bits'], rows)
}

export async function run(report) {
  await scans(report, 1536)
  await scans(report, 384)
  await queries(report)
}

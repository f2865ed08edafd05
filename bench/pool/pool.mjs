import * as tersor from '../../build/index.js'
import { createPool, createPoolOf, quantizing } from '../../build/pool.js'
import { asked, check, interleave, milliseconds, normal, tiled, times } from '../harness.mjs'

const same = (a, b) => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0

function shared(array) {
  const copy = new Float32Array(new SharedArrayBuffer(array.byteLength))
  copy.set(array)
  return copy
}

/** What is measured: calls on verbs or on a pool, and an array of the result that has to be the same. */
function tasks() {
  const matrices = Array.from({ length: 16 }, (_, i) => ({
    data: Float64Array.from(normal(160 * 160, i + 1)),
    shape: [160, 160]
  }))
  const logits = (seed) => ({ data: tiled(512 * 16_000, seed).map((x) => 4 * x), shape: [512, 16_000] })
  const { quantize } = tersor
  const [student, teacher] = [logits(1), logits(2)]
  const vast = { data: tiled(12_000_000, 3), shape: [12_000_000] }
  const inPlace = ({ data, shape }) => ({ data: shared(data), shape })
  const [studentShared, teacherShared, vastShared] = [student, teacher, vast].map(inPlace)
  const batch = async (verbs) => (await Promise.all(matrices.map((matrix) => verbs.svd(matrix))))[15].s.data
  const loss = (student, teacher, given) => async (verbs) =>
    (await verbs.distillationLoss(student, { teacher, temperature: 2, alpha: 1, ...given })).gradient.data
  const quantized = (tensor, given) => async (verbs) =>
    (await verbs.quantize(tensor, { format: 'int8', ...given })).codes
  const gradient = { out: new Float32Array(student.data.length) }
  const codes = { out: quantize(vast, { format: 'int8' }) }
  const pruned = (tensor) => async (verbs) => (await verbs.prune(tensor, { sparsity: 0.8 })).values.data
  return {
    'svd of 16 matrices 160x160, f64': batch,
    'distillationLoss [512x16000], arrays copied': loss(student, teacher),
    'distillationLoss [512x16000], SharedArrayBuffer': loss(studentShared, teacherShared),
    'the same, array given': loss(studentShared, teacherShared, gradient),
    'quantize int8, 12 million, copied': quantized(vast),
    'quantize int8, 12 million, SharedArrayBuffer': quantized(vastShared),
    'the same, arrays given': quantized(vastShared, codes),
    'prune 80% of 12 million, SharedArrayBuffer': pruned(vastShared)
  }
}

/** From nothing to the end of the first call, with a thread that is started for it. */
async function firstCall(create) {
  const pool = create({ threads: 1 })
  try {
    await pool.quantize([1, -2], { format: 'int8' })
  } finally {
    await pool.close()
  }
}

async function startUp(report) {
  const ms = await interleave(
    { one: () => firstCall((options) => createPoolOf([quantizing], options)), all: () => firstCall(createPool) },
    { rounds: 15, warmup: 3 }
  )
  report(
    'createPoolOf: a pool, its first quantize on one thread, and its end',
    ['', 'of quantizing', 'of all', 'gain'],
    [['time', ...Object.values(ms).map(milliseconds), times(ms.all, ms.one)]]
  )
}

export async function run(report) {
  const one = createPool({ threads: 1 })
  const two = createPool({ threads: 2 })
  const rows = []
  try {
    for (const [name, task] of Object.entries(tasks())) {
      const alone = (await task(tersor)).slice()
      check(same(alone, await task(two)), name)
      const ms = await interleave(
        { verb: () => task(tersor), one: () => task(one), two: () => task(two) },
        { rounds: 7, warmup: 2 }
      )
      const gain = times(ms.one, ms.two)
      // What is bound by computing is to gain from the second of two cores.
      const last = name.startsWith('svd') ? asked(gain, ms.one / ms.two >= 1.6, '1.6x') : gain
      rows.push([name, ...Object.values(ms).map(milliseconds), times(ms.verb, ms.two), last])
    }
  } finally {
    await Promise.all([one.close(), two.close()])
  }
  report(
    'createPool: the same bytes on one and two threads',
    ['', 'the verb', 'pool of 1', 'pool of 2', 'of the verb', 'of one thread'],
    rows
  )
  await startUp(report)
}

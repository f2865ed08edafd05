// npm start: the four techniques on real data. Writes to build/demo, prints what it did.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import Table from 'cli-table3'
import { distillationLoss, softmax } from '../../build/index.js'
import { compressModel, decompressModel, encodeSafetensors, openModel } from '../../build/model.js'
import { accuracy, createStudent, layers, predict, train } from './network.mjs'

const started = performance.now()
const out = new URL('../../build/demo/', import.meta.url)
mkdirSync(out, { recursive: true })
const load = (name) => openModel(readFileSync(new URL(`data/${name}`, import.meta.url)))

const percent = (x) => `${(100 * x).toFixed(1)}%`
const kilobytes = (x) => `${(x / 1000).toFixed(1)} kB`

function print(title, head, rows) {
  const table = new Table({
    head,
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, i) => (i ? 'right' : 'left'))
  })
  table.push(...rows)
  console.log(`\n${title}\n${table.toString()}`)
}

// Embeddings: what becomes of a search in them? ------------------------------------------------------------------------------

async function restored(bytes) {
  const plain = await decompressModel(await openModel(bytes), { format: 'safetensors' })
  const [{ name }] = (await openModel(plain.bytes)).tensors
  return (await openModel(plain.bytes)).read(name)
}

/** The ten rows of the greatest dot product with each of the first 100 rows. */
function neighbours({ data, shape: [rows, columns] }) {
  return Array.from({ length: 100 }, (_, q) => {
    const scores = Array.from({ length: rows }, (_, r) => {
      let dot = 0
      for (let c = 0; c < columns; c++) dot += data[q * columns + c] * data[r * columns + c]
      return [dot, r]
    })
    return new Set(
      scores
        .sort((a, b) => b[0] - a[0])
        .slice(0, 10)
        .map(([, r]) => r)
    )
  })
}

const glosses = await load('glosses.npy')
const [{ byteLength: halfBytes }] = glosses.tensors
const original = await restored((await compressModel(glosses, { quantize: { format: 'float16' } })).bytes)
const truth = neighbours(original)
const embeddingRows = []
for (const [what, recipe] of [
  ['int8, a scale for each vector', { quantize: { format: 'int8', axis: 0 } }],
  ['int4, groups of 32, asymmetric', { quantize: { format: 'int4', group: 32, symmetric: false } }],
  ['half of the numbers pruned, int8', { prune: { sparsity: 0.5 }, quantize: { format: 'int8', axis: 0 } }],
  ['rank 128, int8 factors', { lowRank: { rank: 128 }, quantize: { format: 'int8', axis: 0 } }]
]) {
  const { bytes, report } = await compressModel(glosses, recipe)
  writeFileSync(new URL(`glosses-${what.split(',')[0].replaceAll(' ', '-')}.safetensors`, out), bytes)
  const found = neighbours(await restored(bytes))
  const recall = truth.reduce((sum, set, q) => sum + [...set].filter((r) => found[q].has(r)).length, 0) / 1000
  const [{ error }] = report.tensors
  // Ratios against f32, which is what such vectors come as; the sample itself is stored as f16.
  embeddingRows.push([
    what,
    kilobytes(report.after),
    `${((2 * halfBytes) / report.after).toFixed(1)}x`,
    error.relativeError.toFixed(4),
    error.snr.toFixed(1),
    percent(recall)
  ])
}
print(
  `1000 text embeddings of 384 dimensions, ${kilobytes(2 * halfBytes)} as f32`,
  ['', 'size', 'ratio', 'relative error', 'SNR dB', 'same 10 neighbours'],
  embeddingRows
)

// A model: what becomes of its accuracy? -------------------------------------------------------------------------------------

const TRAINING = 1200
const LABELLED = 100
const images = await (await load('digits-images.npy')).read('data')
const labels = (await (await load('digits-labels.npy')).read('data')).data
const digits = { data: Float32Array.from(images.data, (x) => x / 16), shape: images.shape }
const slice = (from, to) => ({ data: digits.data.subarray(64 * from, 64 * to), shape: [to - from, 64] })
const test = slice(TRAINING, images.shape[0])
const testLabels = labels.subarray(TRAINING)

const teacherFile = await load('digits-teacher.safetensors')
const teacher = await layers(teacherFile)
const modelRows = [
  ['teacher 64-128-10', kilobytes(teacherFile.size), '1.0x', percent(accuracy(teacher, test, testLabels))]
]

// Distillation: 100 digits have labels; for the 1100 others the teacher's opinion is all there is.
const few = slice(0, LABELLED)
const alone = createStudent(16, 1)
train(alone, few, 400, (student) => distillationLoss(student, { labels: labels.subarray(0, LABELLED), alpha: 0 }))
const distilled = createStudent(16, 1)
const all = slice(0, TRAINING)
const opinion = predict(teacher, all)
train(distilled, all, 400, (student) => distillationLoss(student, { teacher: opinion, temperature: 2, alpha: 1 }))

const flat = (net) => Object.entries(net).map(([name, tensor]) => ({ name, ...tensor }))
const studentBytes = encodeSafetensors(flat(distilled))
const against = (size) => `${(teacherFile.size / size).toFixed(1)}x`
modelRows.push(
  [
    'student 64-16-10, 100 labels',
    kilobytes(studentBytes.length),
    against(studentBytes.length),
    percent(accuracy(alone, test, testLabels))
  ],
  [
    'the same, distilled',
    kilobytes(studentBytes.length),
    against(studentBytes.length),
    percent(accuracy(distilled, test, testLabels))
  ]
)
for (const [what, bytes, recipe] of [
  ['teacher, int8', undefined, { quantize: { format: 'int8', axis: 0 } }],
  [
    'teacher, 60% pruned, int4',
    undefined,
    { prune: { sparsity: 0.6, scope: 'global' }, quantize: { format: 'int4', group: 32, symmetric: false } }
  ],
  ['teacher, 90% of the energy, int8', undefined, { lowRank: { energy: 0.9 }, quantize: { format: 'int8', axis: 0 } }],
  ['distilled student, int8', studentBytes, { quantize: { format: 'int8', axis: 0 } }],
  ['distilled student, int4', studentBytes, { quantize: { format: 'int4', group: 32, symmetric: false } }]
]) {
  const source = bytes ? await openModel(bytes) : teacherFile
  const { bytes: small } = await compressModel(source, recipe)
  writeFileSync(new URL(`digits-${what.replaceAll(/[ ,%]+/g, '-')}.safetensors`, out), small)
  const back = await layers(await openModel(small))
  modelRows.push([what, kilobytes(small.length), against(small.length), percent(accuracy(back, test, testLabels))])
}
print('handwritten digits, 597 of them for testing', ['', 'file', 'ratio', 'accuracy'], modelRows)

const { data: first } = softmax({ data: predict(distilled, test).data.subarray(0, 10), shape: [1, 10] })
console.log(
  `\nthe first test digit is a ${testLabels[0]}; the distilled student gives it ${percent(first[testLabels[0]])}`
)
console.log(`files are in build/demo; took ${((performance.now() - started) / 1000).toFixed(1)} s`)

// The forms in which text can carry a module, on every runtime that is here: bytes in a bundle, time to decode, time to compile.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { createProject, removeFolder } from '../../test/conformance/project.mjs'
import { conform } from '../../test/conformance/targets.mjs'
import { browsers } from '../../test/conformance/targets/browsers.mjs'
import { isolates } from '../../test/conformance/targets/isolates.mjs'
import { processes } from '../../test/conformance/targets/processes.mjs'
import { folder, textOf } from '../../tools/kernels.mjs'
import { check, milliseconds } from '../harness.mjs'

const entries = fileURLToPath(new URL('text', import.meta.url))
const FORMS = { digits: textOf, hex: (bytes) => bytes.toString('hex'), base64: (bytes) => bytes.toString('base64') }
const names = Object.keys(FORMS)

/** Twice as many as there are forms: each comes first twice. */
const STARTS = 6

const read = (name) => readFileSync(join(folder, `${name}.wasm`))

/** The module of the first verb that most people call, and the largest. */
function modules() {
  const all = readdirSync(folder).filter((file) => file.endsWith('.wasm'))
  const largest = all.map((file) => file.slice(0, -5)).sort((a, b) => read(b).length - read(a).length)[0]
  return ['quantize', largest]
}

function sizes(report, [small, large]) {
  const rows = [small, large].flatMap((name) => {
    const bytes = read(name)
    const row = (form, text) => [
      `${name}, ${form}`,
      text.length,
      gzipSync(text, { level: 9 }).length,
      brotliCompressSync(text).length
    ]
    return [row('wasm', bytes), ...names.map((form) => row(form, FORMS[form](bytes)))]
  })
  report('a module as text: bytes', ['', 'raw', 'gzip -9', 'brotli'], rows)
}

/** The least of several fresh starts: what else the machine does can only add to a time that is met once. */
async function timesOf(target, project, [small, large]) {
  const runs = []
  for (let turn = 0; turn < STARTS; turn++) {
    const order = names.map((_, i) => names[(i + turn) % names.length])
    const texts = [small, large].map((name) => order.map((form) => [form, FORMS[form](read(name))]))
    const [first, second] = texts.map((forms) => Object.fromEntries(forms))
    writeFileSync(join(project, 'texts.mjs'), `export const texts = ${JSON.stringify([first, second])}\n`)
    runs.push(await conform(target, project))
  }
  const figure = (pick) => {
    const times = runs.map(pick).filter((time) => time !== undefined && time !== null)
    return times.length ? milliseconds(Math.min(...times)) : ''
  }
  return names.map((form, i) => [
    i ? '' : target.name,
    `${form}, ${runs[0].ways[form]}`,
    figure((run) => run.first?.[form]),
    figure((run) => run.again[0][form]),
    figure((run) => run.again[1][form]),
    i ? '' : figure((run) => run.compile?.[0]),
    i ? '' : figure((run) => run.compile?.[1])
  ])
}

export async function run(report) {
  const both = modules()
  sizes(report, both)
  const project = createProject()
  try {
    cpSync(entries, project, { recursive: true })
    const rows = []
    const here = [...processes, ...isolates, ...browsers].filter(({ found }) => found)
    for (const target of here) rows.push(...(await timesOf(target, project, both)))
    check(rows.length === names.length * here.length, 'a row for each form on each runtime')
    const head = ['', 'form, way', `${both[0]}, first`, 'again', `${both[1]}, again`, `compile ${both[0]}`, both[1]]
    report(`a module as text: decoding, and compiling; the least of ${STARTS} fresh starts`, head, rows)
  } finally {
    await removeFolder(project)
  }
}

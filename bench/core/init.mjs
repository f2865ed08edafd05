// Cold start on every runtime that is here: from nothing to the first operation.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { init, quantize } from '../../build/index.js'
import { createProject, removeFolder } from '../../test/conformance/project.mjs'
import { conform } from '../../test/conformance/targets.mjs'
import { browsers } from '../../test/conformance/targets/browsers.mjs'
import { isolates } from '../../test/conformance/targets/isolates.mjs'
import { processes } from '../../test/conformance/targets/processes.mjs'
import { asked, check, milliseconds } from '../harness.mjs'

const FRESH = 10
const BROWSERS = 5
const cold = fileURLToPath(new URL('cold', import.meta.url))

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]

/** Milliseconds of a whole run of a target: a process from its start to its end. */
async function whole(target, project) {
  const start = performance.now()
  check((await conform(target, project)) === 3, `three codes on ${target.name}`)
  return performance.now() - start
}

/** What the first operation costs above the same run of an empty module, in turn. */
async function aboveEmpty(target, projects, empty) {
  const names = Object.keys(projects)
  const times = { empty: [], ...Object.fromEntries(names.map((name) => [name, []])) }
  for (let i = 0; i < FRESH; i++) {
    times.empty.push(await whole(target, empty))
    for (const name of names) times[name].push(await whole(target, projects[name]))
  }
  const base = median(times.empty)
  return names.map((name) => {
    const above = median(times[name]) - base
    const isAsked = target.name === 'Node 20' && name === 'tersor/quantize'
    const figure = isAsked ? asked(milliseconds(above), above <= 7, 'at most 7 ms') : milliseconds(above)
    return [`${target.name}, ${name}`, figure, milliseconds(base), `${FRESH} fresh processes`]
  })
}

async function inPage(target, project) {
  const times = []
  for (let i = 0; i < BROWSERS; i++) times.push((await conform(target, project)).milliseconds)
  return [target.name, milliseconds(median(times)), '', `${BROWSERS} fresh browsers, timed in the page`]
}

/** The first request of an isolate, which its host times. */
async function firstRequest(target, project, empty) {
  const times = { with: [], without: [] }
  for (let i = 0; i < FRESH; i++) {
    times.without.push((await conform(target, empty)).milliseconds)
    times.with.push((await conform(target, project)).milliseconds)
  }
  const base = median(times.without)
  return [
    target.name,
    milliseconds(median(times.with) - base),
    milliseconds(base),
    `first answer of ${FRESH} fresh isolates`
  ]
}

export async function run(report) {
  await init()
  check(quantize([1, -2, 3], { format: 'int8' }).codes.length === 3, 'three codes')
  const [project, subpath, empty] = [createProject(), createProject(), createProject()]
  try {
    cpSync(cold, project, { recursive: true })
    cpSync(`${cold}/subpath`, subpath, { recursive: true })
    cpSync(`${cold}/empty`, empty, { recursive: true })
    const projects = { tersor: project, 'tersor/quantize': subpath }
    const rows = []
    const here = (targets) => targets.filter(({ found }) => found)
    for (const target of here(processes)) rows.push(...(await aboveEmpty(target, projects, empty)))
    for (const target of here(isolates)) rows.push(await firstRequest(target, project, empty))
    for (const target of here(browsers)) rows.push(await inPage(target, project))
    report('cold start: import and first operation', ['', 'above an empty module', 'empty', 'median of'], rows)
  } finally {
    await Promise.all([project, subpath, empty].map(removeFolder))
  }
}

// The runtimes and bundles that the table is checked on.
import { browsers, chromium, resultOf } from './targets/browsers.mjs'
import { bundles } from './targets/bundles.mjs'
import { isolates } from './targets/isolates.mjs'
import { processes } from './targets/processes.mjs'
import { scope } from './targets/scope.mjs'

/** Longest time, in ms, of one target, its start included. */
const LIMIT = 120_000

/** name, what was found of it (undefined or false: not here), and what runs the table there */
export const targets = [...processes, ...isolates, ...browsers, ...bundles]

/** Runs the table of a target in a project: { table, times }. */
export function conform({ name, found, run }, project) {
  return scope(name, LIMIT, async (defer) => {
    const result = await run(found, { project, defer })
    if (result.error) throw new Error(result.error)
    return result
  })
}

/** What a page of the project says in Chromium under another content security policy. */
export function underPolicy(policy, path, project) {
  return scope('Chromium', LIMIT, (defer) => resultOf('chromium', chromium, path, { project, defer, policy }))
}

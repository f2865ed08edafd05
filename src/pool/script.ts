import { chunk as runtime } from '#worker/runtime'

/** A part of the worker's script, as the build makes it: a domain's programs, or the library below them. */
export interface WorkerChunk {
  /** names it in the script */
  readonly id: string
  /** `define(id, needs, make)`; empty in builds for runtimes without workers */
  readonly text: string
  /** chunks that have to stand before it */
  readonly needs: readonly WorkerChunk[]
}

/** Whether this build has a script for workers. */
export function hasScript(): boolean {
  return runtime.text !== ''
}

/** The few lines of a module loader that the chunks ask for: each defines its exports from those of chunks above it. */
const DEFINE = `const chunks = { __proto__: null }
const define = (id, needs, make) => {
  const exports = (chunks[id] = {})
  make(...needs.map((name) => (name === 'exports' ? exports : chunks[name.slice(2)])))
}`

/**
 * The worker's script for some domains: their chunks, and all that these need, once each. It is put together as text
 * before a worker starts, since a content security policy forbids a blob worker to load or evaluate more.
 */
export function composeScript(domains: readonly WorkerChunk[]): string {
  const placed = new Set<WorkerChunk>()
  const place = (chunk: WorkerChunk): void => {
    if (placed.has(chunk)) return
    chunk.needs.forEach(place)
    placed.add(chunk)
  }
  for (const chunk of [runtime, ...domains]) place(chunk)
  const programs = domains.map(({ id }) => `chunks[${JSON.stringify(id)}].programs`)
  const start = `chunks[${JSON.stringify(runtime.id)}].start(${programs.join(', ')})`
  return [DEFINE, ...[...placed].map(({ text }) => text), start, ''].join('\n')
}

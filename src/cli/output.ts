import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import colours from 'picocolors'
import type { Progress } from '../model/index.js'

/** A line this often where there is no terminal to draw a bar on. */
const PLAIN_LINE_MS = 3000

/** Draws progress on stderr; returns what to call with each step, and at the end. */
export function showProgress(quiet: boolean): { step: (progress: Progress) => void; stop: () => void } {
  if (quiet) return { step: () => undefined, stop: () => undefined }
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {done} of {tensors} tensors | {speed} GB/s | {eta_formatted} left | {name}',
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: PLAIN_LINE_MS,
    hideCursor: true,
    barsize: 24,
    etaBuffer: 1000
  })
  const started = performance.now()
  let running = false
  return {
    step({ name, done, tensors, bytes, bytesDone }) {
      const speed = (bytesDone / (performance.now() - started) / 1e6).toFixed(2)
      const shown = { name, done, tensors, speed }
      if (!running) bar.start(Math.max(1, bytes), 0, shown)
      running = true
      bar.update(bytesDone, shown)
    },
    stop() {
      if (running) bar.stop()
    }
  }
}

export function printTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  total?: readonly string[]
): void {
  const table = new Table({
    head: head.map((text) => colours.bold(text)),
    style: { head: [], border: [], compact: true },
    colAligns: head.map((title) => (LEFT.has(title) ? 'left' : 'right'))
  })
  for (const row of rows) table.push([...row])
  if (total) table.push(total.map((text) => colours.bold(text)))
  process.stdout.write(`${table.toString()}\n`)
}

const LEFT = new Set(['tensor', 'shape', 'dtype', 'stored as', 'verdict'])

/** JSON has no Infinity: a signal to noise ratio without noise is null. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = -1
  do {
    value /= 1000
    unit++
  } while (value >= 1000 && unit < units.length - 1)
  return `${value.toFixed(2)} ${units[unit]}`
}

export const shape = (lengths: readonly number[] | undefined): string =>
  lengths === undefined ? '' : lengths.join('x') || 'scalar'

export const ratio = (value: number): string => `${value.toFixed(2)}x`

export const decibels = (snr: number | undefined): string =>
  snr === undefined ? '' : snr === Infinity ? 'exact' : snr.toFixed(2)

export const share = (error: number | undefined): string =>
  error === undefined ? '' : error === 0 ? '0' : error < 1e-3 ? error.toExponential(2) : error.toFixed(5)

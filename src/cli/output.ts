import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import colours from 'picocolors'
import type { ModelProgress } from '../model/index.js'

/** A line this often where there is no terminal to draw a bar on. */
const PLAIN_LINE_MS = 3000

/** Draws progress on stderr, from now on; returns what to call with each step, and at the end. */
export function showProgress(
  quiet: boolean,
  tensors: number
): { step: (progress: ModelProgress) => void; stop: () => void } {
  if (quiet) return { step: () => undefined, stop: () => undefined }
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {done} of {tensors} tensors | {speed} GB/s | {left} left | {name}',
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: PLAIN_LINE_MS,
    hideCursor: true,
    barsize: 24
  })
  const started = performance.now()
  const shown = ({ bytes, bytesDone, total, ...rest }: ModelProgress): object => {
    const seconds = (performance.now() - started) / 1000
    const left = bytesDone ? duration((seconds * (bytes - bytesDone)) / bytesDone) : '?'
    return { ...rest, tensors: total, name: visible(rest.name), speed: (bytesDone / seconds / 1e9).toFixed(2), left }
  }
  bar.start(1, 0, shown({ name: '', done: 0, total: tensors, bytes: 0, bytesDone: 0 }))
  return {
    step(progress) {
      bar.setTotal(Math.max(1, progress.bytes))
      bar.update(progress.bytesDone, shown(progress))
    },
    stop() {
      bar.stop()
    }
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  const minutes = Math.floor(whole / 60)
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`
}

/** Names come from files: what a terminal would obey is shown as a replacement character. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd')
}

export function printLine(text: string): void {
  process.stdout.write(`${visible(text)}\n`)
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
  for (const row of rows) table.push(row.map(visible))
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

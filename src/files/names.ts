import { show } from '../core/check.js'

const LONGEST = 120

/** Text from a file in a message: a file may hold names and values of any length. */
export function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/** How a value from a file reads in a message. */
export function brief(value: unknown): string {
  return shorten(show(value))
}

/** Whether text survives UTF-8: half a surrogate pair does not, so two such names could become one. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

/** Levenshtein's distance, one row of the table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

/** The three names nearest to one that does not exist. Beyond LONGEST characters, differences do not count. */
export function nearNames(name: string, names: readonly string[]): string[] {
  const wanted = name.slice(0, LONGEST).toLowerCase()
  return names
    .map((known) => ({ known, far: distance(wanted, known.slice(0, LONGEST).toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ known }) => known)
}

/** Bytes of rows that pass through linear memory at once. */
const BATCH_BYTES = 1 << 20

/** Rows of so many bytes in a batch: whole blocks where they are many. */
export function rowsInBatch(bytes: number): number {
  const rows = Math.floor(BATCH_BYTES / bytes)
  return rows >= 32 ? rows - (rows % 32) : Math.max(1, rows)
}

/** Visits rows [0, count) by batches of `step`. */
export function eachBatch(count: number, step: number, visit: (first: number, rows: number) => void): void {
  for (let first = 0; first < count; first += step) visit(first, Math.min(step, count - first))
}

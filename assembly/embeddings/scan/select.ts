/**
 * The best of many scores, in total order: by score, from the greatest, then by id, from the least. An entry is one
 * u64; greater is better. The score's bits, made to order as whole numbers do, stand above the complement of the id. -0
 * counts as 0; scores are not NaN.
 */
class Entry {
  @inline static of(score: f32, id: u32): u64 {
    // Adding 0 turns -0 into 0.
    const bits = reinterpret<i32>(score + <f32>0)
    return ((<u64>(<u32>(bits ^ ((bits >> 31) | (<i32>0x80000000))))) << 32) | (<u64>~id)
  }

  @inline static score(entry: u64): f32 {
    const bits = <i32>(entry >> 32)
    return reinterpret<f32>(bits ^ (~(bits >> 31) | (<i32>0x80000000)))
  }

  @inline static at(p: usize, i: i32): u64 {
    return load<u64>(p + ((<usize>i) << 3))
  }

  @inline static put(p: usize, i: i32, entry: u64): void {
    store<u64>(p + ((<usize>i) << 3), entry)
  }
}

class Best {
  /**
   * Brings the k greatest of n entries to the front, the least of them last (C. A. R. Hoare, Algorithm 65: find, 1961).
   */
  static partition(p: usize, n: i32, k: i32): void {
    let left = 0
    let right = n - 1
    const target = k - 1
    while (left < right) {
      const pivot = Entry.at(p, (left + right) >> 1)
      let i = left
      let j = right
      do {
        while (Entry.at(p, i) > pivot) i++
        while (Entry.at(p, j) < pivot) j--
        if (i <= j) {
          const entry = Entry.at(p, i)
          Entry.put(p, i, Entry.at(p, j))
          Entry.put(p, j, entry)
          i++
          j--
        }
      } while (i <= j)
      if (j < target) left = i
      if (target < i) right = j
    }
  }

  /** Sinks entry i of a heap of n, whose least is at the root. */
  @inline static sink(p: usize, i: i32, n: i32): void {
    const entry = Entry.at(p, i)
    let child = 2 * i + 1
    while (child < n) {
      if (child + 1 < n && Entry.at(p, child + 1) < Entry.at(p, child)) child++
      if (Entry.at(p, child) >= entry) break
      Entry.put(p, i, Entry.at(p, child))
      i = child
      child = 2 * i + 1
    }
    Entry.put(p, i, entry)
  }

  /** From the greatest to the least (J. W. J. Williams, Algorithm 232: heapsort, 1964). */
  static sort(p: usize, n: i32): void {
    let i = n >> 1
    while (i > 0) {
      i--
      Best.sink(p, i, n)
    }
    let last = n - 1
    while (last > 0) {
      const entry = Entry.at(p, 0)
      Entry.put(p, 0, Entry.at(p, last))
      Entry.put(p, last, entry)
      Best.sink(p, 0, last)
      last--
    }
  }
}

/**
 * Adds scores to the best so far. buffer: u64[capacity], of which `filled` are in use; state: the entry that a newcomer
 * has to exceed, u64, 0 at first. rows: scores f32[rows], of blocks of 32; masks: u32 a block, a bit for each row that
 * counts, or 0; ids: u32[rows], or 0 for first + row. k < capacity. Returns how many entries are in use.
 */
export function selectScores(
  buffer: usize,
  state: usize,
  scores: usize,
  masks: usize,
  ids: usize,
  rows: i32,
  first: u32,
  k: i32,
  capacity: i32,
  filled: i32
): i32 {
  let threshold = load<u64>(state)
  let least = f32x4.splat(threshold ? Entry.score(threshold) : <f32>-Infinity)
  let row = 0
  do {
    const left: u32 = rows - row
    let open: u32 = left < 32 ? (1 << left) - 1 : 0xffffffff
    if (masks) {
      open &= load<u32>(masks)
      masks += 4
    }
    if (open) {
      const a = f32x4.ge(v128.load(scores), least)
      const b = f32x4.ge(v128.load(scores, 16), least)
      const c = f32x4.ge(v128.load(scores, 32), least)
      const d = f32x4.ge(v128.load(scores, 48), least)
      const e = f32x4.ge(v128.load(scores, 64), least)
      const f = f32x4.ge(v128.load(scores, 80), least)
      const g = f32x4.ge(v128.load(scores, 96), least)
      const h = f32x4.ge(v128.load(scores, 112), least)
      const low = v128.or(v128.or(a, b), v128.or(c, d))
      if (v128.any_true(v128.or(low, v128.or(v128.or(e, f), v128.or(g, h))))) {
        open &=
          (<u32>i32x4.bitmask(a)) |
          ((<u32>i32x4.bitmask(b)) << 4) |
          ((<u32>i32x4.bitmask(c)) << 8) |
          ((<u32>i32x4.bitmask(d)) << 12) |
          ((<u32>i32x4.bitmask(e)) << 16) |
          ((<u32>i32x4.bitmask(f)) << 20) |
          ((<u32>i32x4.bitmask(g)) << 24) |
          ((<u32>i32x4.bitmask(h)) << 28)
        while (open) {
          const lane = ctz(open)
          open &= open - 1
          const at = (<usize>(row + <i32>lane)) << 2
          const entry = Entry.of(
            load<f32>(scores + ((<usize>lane) << 2)),
            ids ? load<u32>(ids + at) : first + <u32>row + lane
          )
          if (entry > threshold) {
            Entry.put(buffer, filled, entry)
            filled++
            if (filled == capacity) {
              Best.partition(buffer, filled, k)
              filled = k
              threshold = Entry.at(buffer, k - 1)
              least = f32x4.splat(Entry.score(threshold))
            }
          }
        }
      }
    }
    scores += 128
    row += 32
  } while (row < rows)
  store<u64>(state, threshold)
  return filled
}

/** ids: u32[min(k, filled)] and scores: f32 of the best, in order; sorts the buffer. Returns how many there are. */
export function takeBest(ids: usize, scores: usize, buffer: usize, k: i32, filled: i32): i32 {
  if (filled > k) {
    Best.partition(buffer, filled, k)
    filled = k
  }
  Best.sort(buffer, filled)
  let i = 0
  while (i < filled) {
    const entry = Entry.at(buffer, i)
    store<u32>(ids, ~(<u32>entry))
    store<f32>(scores, Entry.score(entry))
    ids += 4
    scores += 4
    i++
  }
  return filled
}

/** The score of the entry that newcomers have to exceed, -Infinity where there is none yet. */
export function scoreOf(state: usize): f32 {
  const entry = load<u64>(state)
  return entry ? Entry.score(entry) : <f32>-Infinity
}

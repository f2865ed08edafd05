/** How far a long call is. */
export interface Progress {
  /** steps done, of `total`. Steps are whole, and take about the same time each */
  done: number
  total: number
}

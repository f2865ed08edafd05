import Table from 'cli-table3'

/** The operations whose bytes are not the expected ones, or that one side lacks. */
export function differences(table, expected) {
  return [...new Set([...Object.keys(expected), ...Object.keys(table)])].filter(
    (name) => table[name] !== expected[name]
  )
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

/** Three digits, or a dash where the runtime's clock stood still. */
function milliseconds(time) {
  if (!time) return '-'
  return time.toFixed(time < 10 ? 1 : 0)
}

/**
 * Runtime x operation, milliseconds where the bytes are the expected ones.
 *
 * @param results name of a target to { table, times, seconds }, seconds being the whole run with its start
 */
export function grid(results, expected) {
  const names = Object.keys(results)
  const columns = Object.values(results)
  const operations = [
    ...new Set([expected, ...columns.map(({ table }) => table)].flatMap((table) => Object.keys(table)))
  ]
  const wrong = columns.map(({ table }) => new Set(differences(table, expected)))
  const rows = operations.map((operation) => [
    operation,
    ...columns.map(({ times }, i) => (wrong[i].has(operation) ? 'DIFFERENT' : milliseconds(times[operation])))
  ])
  const text = new Table({
    head: ['ms', ...names],
    colAligns: ['left', ...names.map(() => 'right')],
    style: { head: [], border: [], compact: true }
  })
  text.push(
    ...rows,
    ['all', ...columns.map(({ times }) => milliseconds(sum(Object.values(times))))],
    ['with start, s', ...columns.map(({ seconds }) => seconds.toFixed(1))]
  )
  return { text: text.toString(), cells: operations.length * names.length, wrong: sum(wrong.map((set) => set.size)) }
}

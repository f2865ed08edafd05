import { rangeError, typeError } from '../../core/errors.js'
import { checkNumber, checkOptions, show } from '../../core/check.js'

/** A point of the plot: chooseCodec's table has them, and evaluate's results serve too. */
export interface PlotPoint {
  readonly bytesPerVector: number
  readonly recall: number
  /** of the recall; left out: no bar */
  readonly interval?: readonly [number, number]
  /** what it is called; left out: the method */
  readonly label?: string
  /** points of one method have one colour */
  readonly method?: string
  /** drawn larger, and always with its label */
  readonly chosen?: boolean
}

export interface PlotOptions {
  /** above the plot; default "Recall against bytes per vector" */
  title?: string
  /** a line at the recall that was asked for */
  target?: number
}

const WIDTH = 760
const HEIGHT = 460
const LEFT = 64
const RIGHT = 150
const TOP = 48
const BOTTOM = 52

/** Distinct, and of a lightness that reads on white and on black. */
const COLOURS = [
  '#2a7de1', '#d9541e', '#1f9e62', '#a55ad6', '#c28a00', '#d6407f', '#16979f', '#7a8a18', '#8b6d5c', '#7d8794'
] // prettier-ignore

/**
 * Draws recall against bytes per vector as an SVG image, with bars for the intervals and a line along the best for each
 * size.
 *
 * The size has a logarithmic axis. Colours follow the reader's light or dark theme. No two runs differ in a byte.
 *
 * @throws TypeError for what is no list of points, labels that are no text, or an unknown option
 * @throws RangeError for no points, a size that is not above 0, a recall or target outside [0, 1]
 */
export function paretoPlot(table: readonly PlotPoint[], options: PlotOptions = {}): string {
  checkOptions('paretoPlot', options, ['title', 'target'])
  const points = checkPoints(table)
  const { title = 'Recall against bytes per vector', target } = options
  if (typeof title !== 'string') throw typeError(`paretoPlot: "title" expected text, got ${show(title)}`)
  if (target !== undefined) checkNumber('paretoPlot', 'target', target, 0, 1)
  const scales = scalesFor(points, target)
  const front = frontOf(points)
  const methods = [...new Set(points.map(({ method }) => method ?? ''))].sort()
  const colour = (point: PlotPoint): string => COLOURS[methods.indexOf(point.method ?? '') % COLOURS.length]!
  const body = [
    ...axes(scales),
    ...(target === undefined ? [] : targetLine(scales, target)),
    path(front.map((point) => [scales.x(point.bytesPerVector), scales.y(point.recall)])),
    ...points.map((point) => mark(point, scales, colour(point), front.includes(point))),
    ...labels(points, front, scales),
    ...(methods.length > 1 ? legend(methods) : [])
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${LEFT}" y="26">${escaped(title)}</text>`,
    ...body,
    '</svg>',
    ''
  ].join('\n')
}

const STYLE =
  'svg{color-scheme:light dark;font:12px system-ui,sans-serif}.ground{fill:#fff}text{fill:#222}.title{font-size:15px;font-weight:600}' +
  '.grid{stroke:#ddd}.front{fill:none;stroke:#999;stroke-dasharray:4 3}.target{stroke:#c33;stroke-dasharray:2 3}.chosen{stroke:#222;stroke-width:2}' +
  '@media(prefers-color-scheme:dark){.ground{fill:#15181c}text{fill:#e4e6e8}.grid{stroke:#333a42}.front{stroke:#7b848d}.chosen{stroke:#fff}}'

function checkPoints(table: unknown): PlotPoint[] {
  if (!Array.isArray(table)) throw typeError(`paretoPlot: "table" expected a list of points, got ${show(table)}`)
  if (table.length === 0) throw rangeError('paretoPlot: "table" expected at least one point, got none')
  table.forEach((point: Partial<PlotPoint> | null, at) => {
    const where = `paretoPlot: "table[${at}]" expected`
    if (typeof point !== 'object' || point === null) throw typeError(`${where} a point, got ${show(point)}`)
    const { bytesPerVector: size, recall, interval = [recall, recall] } = point
    if (!(typeof size === 'number' && size > 0 && size < Infinity)) {
      throw rangeError(`${where} bytesPerVector above 0, got ${show(size)}`)
    }
    if (!Array.isArray(interval)) throw typeError(`${where} an interval [low, high], got ${show(interval)}`)
    for (const name of ['label', 'method'] as const) {
      if (point[name] !== undefined && typeof point[name] !== 'string') {
        throw typeError(`${where} a ${name} that is text, got ${show(point[name])}`)
      }
    }
    for (const share of [recall, interval[0], interval[1]] as unknown[]) {
      if (!(typeof share === 'number' && share >= 0 && share <= 1)) {
        throw rangeError(`${where} a recall and its interval in [0, 1], got ${show(share)}`)
      }
    }
  })
  return table as PlotPoint[]
}

/** Those that no smaller or equally large one reaches, by size. */
function frontOf(points: readonly PlotPoint[]): PlotPoint[] {
  const bySize = [...points].sort((a, b) => a.bytesPerVector - b.bytesPerVector || b.recall - a.recall)
  let best = -1
  return bySize.filter(({ recall }) => {
    if (recall <= best) return false
    best = recall
    return true
  })
}

interface Scales {
  x(bytes: number): number
  y(recall: number): number
  sizes: number[]
  recalls: number[]
}

/**
 * Base 2 logarithm of a positive normal number within 1e-12, a bit at a time: squaring doubles it. Hosts differ in the
 * last bits of theirs. Method: D. E. Knuth, The Art of
 * Computer Programming, volume 1, section 1.2.2.
 */
function log2(x: number): number {
  let [rest, result] = [x, 0]
  for (; rest >= 2; rest /= 2) result++
  for (; rest < 1; rest *= 2) result--
  for (let bit = 0.5; bit > 2 ** -42; bit /= 2) {
    rest *= rest
    if (rest < 2) continue
    rest /= 2
    result += bit
  }
  return result
}

function scalesFor(points: readonly PlotPoint[], target = 1): Scales {
  const sizes = points.map(({ bytesPerVector }) => bytesPerVector)
  const lows = points.map(({ recall, interval }) => interval?.[0] ?? recall)
  // Whole powers of two around the sizes; a tenth, or a fiftieth where all is close to 1, below the least recall.
  let [from, to] = [2 ** -10, 2 ** -10]
  while (2 * from <= Math.min(...sizes)) from *= 2
  while (to < Math.max(...sizes) || to <= from) to *= 2
  const least = Math.min(...lows, target)
  const step = least > 0.9 ? 0.02 : least > 0.6 ? 0.05 : 0.1
  const bottom = Math.max(0, Math.min(1 - step, Math.floor(least / step) * step))
  const [start, span] = [log2(from), log2(to) - log2(from)]
  const ticks: number[] = []
  for (let size = from; size <= to; size *= 2) ticks.push(size)
  const count = Math.round((1 - bottom) / step)
  return {
    x: (bytes) => LEFT + ((log2(bytes) - start) / span) * (WIDTH - LEFT - RIGHT),
    y: (recall) => TOP + ((1 - recall) / (count * step)) * (HEIGHT - TOP - BOTTOM),
    sizes: ticks,
    recalls: Array.from({ length: count + 1 }, (_, i) => 1 - (count - i) * step)
  }
}

function axes({ x, y, sizes, recalls }: Scales): string[] {
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM]
  const middle = (TOP + bottom) / 2
  return [
    ...sizes.map((size) => `${line('grid', x(size), TOP, x(size), bottom)}${text(x(size), bottom + 18, bytes(size))}`),
    ...recalls.map(
      (recall) =>
        `${line('grid', LEFT, y(recall), right, y(recall))}${text(LEFT - 8, y(recall) + 4, recall.toFixed(2), 'end')}`
    ),
    text((LEFT + right) / 2, HEIGHT - 12, 'bytes per vector'),
    `<text x="18" y="${at(middle)}" text-anchor="middle" transform="rotate(-90 18 ${at(middle)})">recall</text>`
  ]
}

function targetLine({ y }: Scales, target: number): string[] {
  return [
    line('target', LEFT, y(target), WIDTH - RIGHT, y(target)),
    text(LEFT + 6, y(target) - 5, `asked: ${target}`, 'start')
  ]
}

function mark(point: PlotPoint, { x, y }: Scales, colour: string, best: boolean): string {
  const { bytesPerVector, recall, interval, chosen } = point
  const [px, py] = [x(bytesPerVector), y(recall)]
  const bar = interval
    ? `<line stroke="${colour}" x1="${at(px)}" y1="${at(y(interval[0]))}" x2="${at(px)}" y2="${at(y(interval[1]))}"/>`
    : ''
  const range = interval ? ` (${interval[0].toFixed(4)} to ${interval[1].toFixed(4)})` : ''
  const title = `${nameOf(point)}: ${bytes(bytesPerVector)} bytes, recall ${recall.toFixed(4)}${range}`
  const circle = `<circle${chosen ? ' class="chosen"' : ''} cx="${at(px)}" cy="${at(py)}" r="${chosen ? 6 : best ? 4.5 : 3}" fill="${colour}"/>`
  return `<g${best || chosen ? '' : ' opacity="0.55"'}><title>${escaped(title)}</title>${bar}${circle}</g>`
}

/** Of the best for each size, and of the chosen one; a label that would lie on another is left to the point's title. */
function labels(points: readonly PlotPoint[], front: readonly PlotPoint[], { x, y }: Scales): string[] {
  const wanted = [...points.filter(({ chosen }) => chosen), ...front.filter(({ chosen }) => !chosen)]
  const taken: [left: number, top: number, right: number, bottom: number][] = []
  return wanted.flatMap((point) => {
    const name = nameOf(point)
    const [px, py] = [x(point.bytesPerVector), y(point.recall)]
    const width = 6.5 * name.length
    const flipped = px + 9 + width > WIDTH - RIGHT + 16
    const [left, base] = flipped ? [px - 9 - width, py - 6] : [px + 9, py + 14]
    const box: (typeof taken)[number] = [left, base - 12, left + width, base + 2]
    if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]))
      return []
    taken.push(box)
    return [flipped ? text(px - 9, base, name, 'end') : text(left, base, name, 'start')]
  })
}

function legend(methods: readonly string[]): string[] {
  return methods.map((method, i) => {
    const y = TOP + 30 + 18 * i
    const x = WIDTH - RIGHT + 24
    return `<circle cx="${x}" cy="${y - 4}" r="4.5" fill="${COLOURS[i % COLOURS.length]}"/>${text(x + 10, y, method || 'other', 'start')}`
  })
}

const nameOf = ({ label, method }: PlotPoint): string => label ?? method ?? ''

const at = (position: number): string => position.toFixed(1)

const bytes = (size: number): string => String(Number(size.toFixed(2)))

function line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`
}

function text(x: number, y: number, content: string, anchor = 'middle'): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped(content)}</text>`
}

function path(corners: readonly (readonly [number, number])[]): string {
  return `<polyline class="front" points="${corners.map(([x, y]) => `${at(x)},${at(y)}`).join(' ')}"/>`
}

function escaped(content: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  // What no XML may hold is shown as a replacement character.
  return content.replace(/[&<>"]/g, (character) => names[character]!).replace(/[^\P{Cc}\t\n]/gu, '\ufffd')
}

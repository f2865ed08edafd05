import { describe, expect, it } from 'vitest'
import { paretoPlot, type PlotPoint } from '../../../src/embeddings/measure/plot.js'
import { expectError, wrong } from '../../support/errors.js'

const points: PlotPoint[] = [
  { method: 'turbo', label: 'turbo 1 bit', bytesPerVector: 56, recall: 0.76, interval: [0.74, 0.78] },
  { method: 'turbo', label: 'turbo 2 bits', bytesPerVector: 104, recall: 0.84, interval: [0.82, 0.86], chosen: true },
  { method: 'turbo', label: 'turbo 4 bits', bytesPerVector: 200, recall: 0.93, interval: [0.91, 0.95] },
  { method: 'pq', label: 'pq <48> & "co"', bytesPerVector: 48, recall: 0.59, interval: [0.56, 0.61] },
  { method: 'osq', bytesPerVector: 60, recall: 0.48 }
]

/** Attributes of all elements of a kind. */
function attributes(svg: string, element: string): Record<string, string>[] {
  return [...svg.matchAll(new RegExp(`<${element}\\b([^>]*)>`, 'g'))].map(([, text]) =>
    Object.fromEntries([...text!.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]))
  )
}

describe('paretoPlot', () => {
  const svg = paretoPlot(points, { title: 'a < b', target: 0.95 })

  it('is one closed image, all of it inside its box', () => {
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 460"')).toBe(true)
    expect(svg.endsWith('</svg>\n')).toBe(true)
    const depth = [...svg.matchAll(/<(\/?)\w+[^>]*?(\/?)>/g)].reduce(
      (n, [, end, alone]) => n + (end ? -1 : alone ? 0 : 1),
      0
    )
    expect(depth).toBe(0)
    for (const { cx, cy } of attributes(svg, 'circle')) {
      expect(Number(cx)).toBeGreaterThan(0)
      expect(Number(cx)).toBeLessThan(760)
      expect(Number(cy)).toBeGreaterThan(0)
      expect(Number(cy)).toBeLessThan(460)
    }
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('has a logarithmic axis of sizes: twice the bytes, the same distance', () => {
    const at = (size: number): number => Number(new RegExp(`<text x="([\\d.]+)"[^>]*>${size}</text>`).exec(svg)?.[1])
    expect(at(64) - at(32)).toBeCloseTo(at(128) - at(64), 0)
    expect(at(256) - at(128)).toBeCloseTo(at(64) - at(32), 0)
  })

  it('puts more recall higher, and the bar of a point about it', () => {
    const groups = [...svg.matchAll(/<g[^>]*><title>[^<]*<\/title>.*?<\/g>/g)].map(([text]) => text)
    const heights = groups.map((text) => Number(attributes(text, 'circle')[0]!.cy))
    expect(heights[0]).toBeGreaterThan(heights[1]!)
    expect(heights[1]).toBeGreaterThan(heights[2]!)
    expect(heights[4]).toBeGreaterThan(heights[3]!)
    const bar = attributes(groups[0]!, 'line')[0]!
    expect(Number(bar.y1)).toBeGreaterThan(heights[0]!)
    expect(Number(bar.y2)).toBeLessThan(heights[0]!)
    expect(attributes(groups[4]!, 'line')).toEqual([])
  })

  it('draws the line along those that nothing smaller reaches', () => {
    expect(attributes(svg, 'polyline')[0]!.points!.split(' ')).toHaveLength(4)
    expect(svg.match(/opacity="0\.55"/g)).toHaveLength(1)
  })

  it('names points, methods and the target, and escapes what names hold', () => {
    for (const name of ['turbo 2 bits', 'asked: 0.95', 'a &lt; b', '>osq</text>']) expect(svg).toContain(name)
    expect(svg).toContain('pq &lt;48&gt; &amp; &quot;co&quot;: 48 bytes, recall 0.5900 (0.5600 to 0.6100)')
    expect(paretoPlot([{ bytesPerVector: 1, recall: 1, label: 'a\u0000b' }])).not.toContain('\u0000')
  })

  it('follows the theme', () => {
    expect(svg).toContain('prefers-color-scheme:dark')
  })

  it('takes one point, at either end', () => {
    for (const recall of [0, 1]) {
      expect(paretoPlot([{ bytesPerVector: 64, recall }])).not.toMatch(/NaN|Infinity/)
    }
  })

  it('refuses what is no point', () => {
    expectError(() => paretoPlot([]), RangeError, 'paretoPlot: "table" expected at least one point')
    expectError(() => paretoPlot(wrong('x')), TypeError, 'paretoPlot: "table" expected a list of points, got "x"')
    expectError(() => paretoPlot([wrong(null)]), TypeError, '"table[0]" expected a point, got null')
    expectError(() => paretoPlot([{ bytesPerVector: 0, recall: 1 }]), RangeError, 'bytesPerVector above 0, got 0')
    expectError(() => paretoPlot([{ bytesPerVector: 1, recall: 1.5 }]), RangeError, 'in [0, 1], got 1.5')
    expectError(() => paretoPlot(points, { title: wrong(5) }), TypeError, '"title" expected text, got 5')
    expectError(() => paretoPlot(points, { target: NaN }), RangeError, '"target" expected a number in [0, 1], got NaN')
    expectError(() => paretoPlot(points, { target: 5 }), RangeError, '"target" expected a number in [0, 1], got 5')
    const one = { bytesPerVector: 1, recall: 0.5 }
    expectError(() => paretoPlot([{ ...one, label: wrong(5) }]), TypeError, 'a label that is text, got 5')
    expectError(() => paretoPlot([{ ...one, interval: wrong(null) }]), TypeError, 'an interval [low, high], got null')
    expectError(
      () => paretoPlot(points, wrong({ titel: '' })),
      TypeError,
      'unknown option "titel"; expected title, target'
    )
  })
})

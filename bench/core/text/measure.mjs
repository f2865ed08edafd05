// Decodes each form by the fastest way that the runtime has; runs unchanged on every runtime.
import { texts } from './texts.mjs'

const TIMES = 40

/** As src/core/modules.ts does. */
function decodeDigits(text) {
  const bytes = new Uint8Array(text.length)
  let size = 0
  let above = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const digit = (code === 33 ? 92 : code) - 35
    if (above === 0 && digit >= 90) above = 92 * digit - 8190
    else {
      bytes[size++] = above + digit - 4
      above = 0
    }
  }
  return bytes.subarray(0, size)
}

function decodeHex(text) {
  const bytes = new Uint8Array(text.length / 2)
  const digit = (at) => {
    const code = text.charCodeAt(at)
    return (code & 15) + 9 * (code >> 6)
  }
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(2 * i) << 4) | digit(2 * i + 1)
  return bytes
}

const { atob, Buffer } = globalThis

const hex = Uint8Array.fromHex
  ? ['fromHex', (text) => Uint8Array.fromHex(text)]
  : Buffer
    ? ['Buffer', (text) => Buffer.from(text, 'hex')]
    : ['loop', decodeHex]

const base64 = Uint8Array.fromBase64
  ? ['fromBase64', (text) => Uint8Array.fromBase64(text)]
  : Buffer
    ? ['Buffer', (text) => Buffer.from(text, 'base64')]
    : ['atob', (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]

const ways = { digits: ['loop', decodeDigits], hex, base64 }

/**
 * Milliseconds of decoding: the first time, and again; and of compiling. `settled` awaits what moves a clock that stands still between
 * two answers from outside; a first time is then too short for it.
 */
export async function measure({ compiles = true, settled } = {}) {
  const now = async () => {
    await settled?.()
    return globalThis.performance.now()
  }
  const first = {}
  const again = [{}, {}]
  const bytes = []
  for (const [form, text] of Object.entries(texts[0])) {
    const start = await now()
    bytes.push(ways[form][1](text))
    first[form] = (await now()) - start
  }
  for (const [at, forms] of texts.entries()) {
    for (const [form, text] of Object.entries(forms)) {
      const start = await now()
      for (let i = 0; i < TIMES; i++) ways[form][1](text)
      again[at][form] = ((await now()) - start) / TIMES
    }
  }
  const [one, ...others] = bytes.map((array) => Uint8Array.from(array).join())
  for (const other of others) {
    if (other !== one) throw new Error('forms decode to other bytes')
  }
  const compile = []
  for (const { base64: text } of compiles ? texts : []) {
    const module = Uint8Array.from(ways.base64[1](text))
    const start = await now()
    new WebAssembly.Module(module)
    compile.push((await now()) - start)
  }
  const used = Object.fromEntries(Object.entries(ways).map(([form, [way]]) => [form, way]))
  return { ways: used, first: settled ? undefined : first, again, compile }
}

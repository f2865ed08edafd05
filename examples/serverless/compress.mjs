// A batch of embeddings comes in by POST and goes out compressed: standard Request and Response, for any platform.
import { compressModel, encodeSafetensors, openModel } from 'tersor/model'

/** Bytes of a body. At its peak a batch takes some six times as many, garbage included, and isolates have 128 MB. */
export const LIMIT = 16 * 2 ** 20

/** Bytes of a safetensors header; a tensor takes some 80. */
const LONGEST_HEADER = 2 ** 16

const [COMMA, COLON, QUOTE, BRACKET, BRACE] = new TextEncoder().encode(',:"[{')

/** What the caller can mend. */
class Refusal extends Error {
  constructor(status, message, headers) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** Of the library and of JSON.parse; by their names, since a sandbox may have classes of its own. */
const REFUSALS = ['FormatError', 'TypeError', 'RangeError', 'SyntaxError']

const tooLarge = (limit) => new Refusal(413, `expected a body of at most ${limit} bytes; send the batch in parts`)

/** The whole body in one array, whose length is known beforehand unless it is sent in chunks; nothing is read beyond the limit. */
async function readBody(request, limit) {
  const declared = request.headers.get('content-length')
  if (Number(declared) > limit) throw tooLarge(limit)
  const body = new Uint8Array(declared === null ? limit : Number(declared))
  let size = 0
  const reader = request.body?.getReader()
  for (let next = await reader?.read(); next && !next.done; next = await reader.read()) {
    if (size + next.value.length > body.length) throw tooLarge(body.length)
    body.set(next.value, size)
    size += next.value.length
  }
  if (size === 0) throw new Refusal(400, 'expected a batch of embeddings as the body, got nothing')
  return body.subarray(0, size)
}

/** A .npy or .safetensors file as it is. Headers of thousands of tensors take more memory than what they describe. */
function readFile(body) {
  const header = body[8] === BRACE ? new DataView(body.buffer).getUint32(0, true) : 0
  if (header > LONGEST_HEADER) {
    throw new Refusal(413, `expected a header of at most ${LONGEST_HEADER} bytes, got ${header}; send fewer tensors`)
  }
  return body
}

/** Refuses JSON that is short but large once it is parsed: a number takes 8 bytes then, anything else some 64. */
function checkJson(text, limit) {
  let numbers = 0
  let others = 0
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]
    if (byte === COMMA) numbers++
    else if (byte === COLON || byte === QUOTE || byte === BRACKET || byte === BRACE) others++
  }
  if (8 * numbers + 64 * others > 2 * limit) {
    throw new Refusal(413, 'expected JSON of fewer vectors; send the batch in parts, or as .npy')
  }
}

/** { vectors: [[...], ...] }, or what embedding APIs answer, { data: [{ embedding: [...] }, ...] }, as a file. */
function readJson(body, limit) {
  checkJson(body, limit)
  const { vectors, data } = JSON.parse(new TextDecoder().decode(body)) ?? {}
  const rows = vectors ?? (Array.isArray(data) && data.map((item) => item?.embedding))
  if (!Array.isArray(rows) || !Array.isArray(rows[0])) {
    throw new Refusal(400, 'expected { "vectors": [[...], ...] } or { "data": [{ "embedding": [...] }, ...] }')
  }
  const { length } = rows[0]
  const other = rows.findIndex((row) => row?.length !== length || !row.every?.((x) => typeof x === 'number'))
  if (other >= 0) {
    throw new Refusal(400, `expected ${length} numbers in each vector, as in the first; vector ${other} has others`)
  }
  const numbers = new Float32Array(rows.length * length)
  for (const [i, row] of rows.entries()) numbers.set(row, i * length)
  return encodeSafetensors([{ name: 'vectors', shape: [rows.length, length], data: numbers }])
}

const READERS = new Map([
  ['application/octet-stream', readFile],
  ['application/json', readJson]
])

/** ?format=int8 (a scale a vector, or for each group), int4 (groups of 32 unless it says otherwise) or float16, and ?group=N */
function readRecipe(query) {
  const { format = 'int8', group, ...others } = Object.fromEntries(query)
  const [unknown] = Object.keys(others)
  if (unknown) throw new Refusal(400, `unknown parameter ${JSON.stringify(unknown)}; expected format, group`)
  const groups = group === undefined ? {} : { group: Number(group) }
  if (format === 'int8') return { quantize: { format, axis: 0, ...groups } }
  if (format === 'int4') return { quantize: { format, symmetric: false, group: 32, ...groups } }
  if (format === 'float16') return { quantize: { format, ...groups } }
  throw new Refusal(400, `"format" expected int8, int4 or float16, got ${JSON.stringify(format)}`)
}

async function compressBatch(request, limit) {
  const recipe = readRecipe(new URL(request.url).searchParams)
  const type = request.headers.get('content-type')?.split(';')[0].trim().toLowerCase() ?? 'application/octet-stream'
  const read = READERS.get(type)
  if (!read) throw new Refusal(415, `expected content-type ${[...READERS.keys()].join(' or ')}, got ${type}`)
  const model = await openModel(read(await readBody(request, limit), limit))
  const { report, bytes } = await compressModel(model, { ...recipe, select: ({ shape }) => shape.length === 2 })
  const errors = report.tensors.flatMap(({ error }) => error ?? [])
  if (!errors.length) throw new Refusal(400, 'expected vectors of floating-point numbers, of shape [n, d]')
  const headers = {
    'content-type': 'application/octet-stream',
    'tersor-ratio': report.ratio.toFixed(3),
    // Of the worst tensor, where a file has several.
    'tersor-relative-error': Math.max(...errors.map(({ relativeError }) => relativeError)).toPrecision(4),
    'tersor-snr': Math.min(...errors.map(({ snr }) => snr)).toFixed(2)
  }
  return new Response(bytes, { headers })
}

const usage = (limit) =>
  [
    'POST .npy or .safetensors (application/octet-stream) with vectors of shape [n, d], or JSON (application/json)',
    `{ "vectors": [[...], ...] } or { "data": [{ "embedding": [...] }, ...] }, at most ${limit} bytes;`,
    '?format=int8, int4 or float16, ?group=N. The answer is a safetensors file that tersor restores.\n'
  ].join('\n')

/** Answers a request: the usage to GET, a compressed batch to POST, and { error } to what cannot be done. */
export async function compress(request, limit = LIMIT) {
  try {
    if (request.method === 'GET' || request.method === 'HEAD') return new Response(usage(limit))
    if (request.method === 'POST') return await compressBatch(request, limit)
    throw new Refusal(405, `expected GET or POST, got ${request.method}`, { allow: 'GET, HEAD, POST' })
  } catch (error) {
    if (!(error instanceof Refusal) && !REFUSALS.includes(error?.name)) throw error
    return Response.json({ error: error.message }, { status: error.status ?? 400, headers: error.headers })
  }
}

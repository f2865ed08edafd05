import { compress } from 'compress-embeddings'

/** An event holds 6 MB of JSON, and in it binary bodies as base64. */
const LIMIT = 4_500_000

/** For events of payload format 2.0: function URLs and HTTP APIs. */
export async function handler({ rawPath, rawQueryString, headers, body, isBase64Encoded, requestContext }) {
  const { domainName, http } = requestContext
  const url = `https://${domainName}${rawPath}?${rawQueryString}`
  const bytes = body === undefined ? undefined : Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
  const response = await compress(new Request(url, { method: http.method, headers, body: bytes }), LIMIT)
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    isBase64Encoded: true
  }
}

import { compress } from 'compress-embeddings'

export const runtime = 'edge'

// Vercel takes no more: its own answer to a longer body is a 413 as well.
const handle = (request) => compress(request, 4_500_000)

// What the handler does not do, it says itself.
export { handle as GET, handle as POST, handle as PUT, handle as PATCH, handle as DELETE }

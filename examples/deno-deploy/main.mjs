import { compress } from 'compress-embeddings'

Deno.serve((request) => compress(request))

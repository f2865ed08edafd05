import { compress } from 'compress-embeddings'

export default {
  fetch: (request) => compress(request)
}

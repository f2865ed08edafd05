import { quantize } from 'tersor'

export default {
  async fetch() {
    return Response.json(quantize([1, -2, 3], { format: 'int8' }).codes.length)
  }
}

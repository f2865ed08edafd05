// For workerd: one answer over HTTP.
import * as entries from './all.mjs'
import { answer } from './answer.mjs'

export default {
  async fetch() {
    return Response.json(await answer(entries))
  }
}

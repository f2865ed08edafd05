// For workerd: one answer over HTTP.
import * as tersor from 'tersor'
import * as model from 'tersor/model'
import * as pool from 'tersor/pool'
import { answer } from './answer.mjs'

export default {
  async fetch() {
    return Response.json(await answer(tersor, model, pool))
  }
}

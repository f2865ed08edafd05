// For edge-runtime, whose handlers are listeners.
import * as tersor from 'tersor'
import * as model from 'tersor/model'
import { answer } from './answer.mjs'

globalThis.addEventListener('fetch', (event) => {
  event.respondWith(answer(tersor, model).then((result) => Response.json(result)))
})

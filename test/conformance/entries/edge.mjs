// For edge-runtime, whose handlers are listeners.
import * as entries from './all.mjs'
import { answer } from './answer.mjs'

globalThis.addEventListener('fetch', (event) => {
  event.respondWith(answer(entries).then((result) => Response.json(result)))
})

import { measure } from './measure.mjs'

globalThis.addEventListener('fetch', (event) => {
  event.respondWith(measure({ compiles: false }).then((result) => Response.json(result)))
})

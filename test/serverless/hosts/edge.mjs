// What Next makes of a route for edge-runtime, whose handlers are listeners: the export of a method's name answers it.
import * as route from './app/api/compress/route.js'

globalThis.addEventListener('fetch', (event) => {
  event.respondWith(route[event.request.method](event.request))
})

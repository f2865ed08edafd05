import { quantize } from 'tersor'

globalThis.addEventListener('fetch', (event) => {
  event.respondWith(Response.json(quantize([1, -2, 3], { format: 'int8' }).codes.length))
})

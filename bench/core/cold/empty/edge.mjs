globalThis.addEventListener('fetch', (event) => {
  event.respondWith(Response.json(3))
})

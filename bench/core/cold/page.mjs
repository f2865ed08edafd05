// From before the import, over HTTP from this machine, to after the first operation.
const start = performance.now()
const { quantize } = await import('./node_modules/tersor/build/index.js')
quantize([1, -2, 3], { format: 'int8' })
globalThis.result = { milliseconds: performance.now() - start }

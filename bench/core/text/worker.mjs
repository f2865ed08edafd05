import { measure } from './measure.mjs'

export default {
  async fetch() {
    // The clock of an isolate moves when it waits for something.
    const settled = () => new Promise((resolve) => setTimeout(resolve, 1))
    return Response.json(await measure({ compiles: false, settled }))
  }
}

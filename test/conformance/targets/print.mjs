/** Prints what a first request is answered, and how long that took; fields of the answer stay as they are. */
export async function print(request) {
  const start = performance.now()
  const response = await request()
  const answer = await response.json()
  console.log(JSON.stringify({ milliseconds: performance.now() - start, ...answer }))
}

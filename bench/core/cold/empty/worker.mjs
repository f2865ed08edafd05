export default {
  async fetch() {
    return Response.json(3)
  }
}

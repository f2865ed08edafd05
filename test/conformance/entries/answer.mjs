import { conformance } from './rows.mjs'

/** The table, or the error in its place, as JSON carries it. */
export async function answer(tersor, model) {
  try {
    return await conformance(tersor, model)
  } catch (error) {
    return { error: `${error}\n${error.stack}` }
  }
}

import { conformance } from './rows.mjs'

/** The table, or the error in its place, as JSON carries it. */
export async function answer(tersor, model, pool) {
  try {
    return await conformance(tersor, model, pool)
  } catch (error) {
    return { error: `${error}\n${error.stack}` }
  }
}

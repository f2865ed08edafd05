import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { output } from './children.mjs'

/** The path of a script beside this one, for a process of its own. */
export const script = (file) => fileURLToPath(new URL(file, import.meta.url))

/** Bundles the entry of a target in the project; gives the folder where it is. */
export async function bundle(defer, name, project) {
  await output(defer, process.execPath, [script('bundlers.mjs'), name], { cwd: project })
  return join(project, 'bundles', name)
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The modules of a bundle by their files' names, compiled here: the sandbox gets them from another realm, as from Next. */
export function wasmModulesOf(folder) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.wasm'))
  return Object.fromEntries(files.map((file) => [file, new WebAssembly.Module(readFileSync(join(folder, file)))]))
}

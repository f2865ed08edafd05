import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../node_modules/', import.meta.url))

const first = (paths) => paths.find((path) => existsSync(path))

/** A file of a package of test/conformance, or undefined. */
export function packaged(path) {
  return first([join(folder, path)])
}

/** Whether a package can be imported from here: of test/conformance or of the checkout. */
export function hasPackage(name) {
  const folders = createRequire(import.meta.url).resolve.paths(name)
  return first(folders.map((path) => join(path, name, 'package.json'))) !== undefined
}

/** The first of these programs that the path has. */
export function installed(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return first(names.flatMap((name) => folders.map((path) => join(path, name))))
}

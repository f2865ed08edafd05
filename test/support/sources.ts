import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '../..')

/** A file of the project: `path` is relative to its root. */
export interface Source {
  path: string
  text: string
}

/** Folders that tools write: what stands there is not written by hand. */
const GENERATED = /(^|\/)(node_modules|build|\.next|\.wrangler)\//

/** The files below folders whose names end as `pattern` says. */
export function sourcesOf(folders: readonly string[], pattern = /\.ts$/): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => pattern.test(file) && !GENERATED.test(file))
      .map((file) => join(folder, file))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  )
}

/** The syntax tree of a file, whose nodes know their parents. */
export function parse({ path, text }: Source): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}

/** Where a node begins: `path:line`. */
export function placeOf(file: ts.SourceFile, node: ts.Node): string {
  return `${file.fileName}:${lineOf(file, node.getStart())}`
}

/** The number of the line that holds a position, from 1. */
export function lineOf(file: ts.SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1
}

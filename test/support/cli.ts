import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

/** Of the build: `npm test` makes it first. */
export const CLI = fileURLToPath(new URL('../../build/cli.js', import.meta.url))

export interface Run {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1' })

/** Runs the command line to its end; nothing here is a terminal. */
export function tersor(args: readonly string[], cwd?: string): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd, env: environment(), maxBuffer: 1 << 26 }
    const child: ChildProcess = execFile(process.execPath, [CLI, ...args], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
    )
  })
}

export function start(args: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], { cwd, env: environment(), stdio: 'ignore' })
}

/** A folder for a file's tests, removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tersor-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Every file below a folder: its bytes and when it was last written. */
export function snapshot(folder: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false })
    const content = stat?.isFile() ? readFileSync(join(folder, name)).toString('base64') : 'no file'
    files.set(name, stat?.isFile() ? `${stat.mtimeMs} ${stat.ino} ${content}` : content)
  }
  return files
}

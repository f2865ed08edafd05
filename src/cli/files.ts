import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { FileError, isRefusal, isTooLarge, isUsage, UsageError } from './errors.js'
import { openModel, type ByteSink, type FileTensor, type Model } from '../model/index.js'

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of the path is no directory',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left'
  }
  return (code && known[code]) ?? message
}

/** Errors whose message names a file. */
const named = new WeakSet<Error>()

/** The error with the name of its file in front: once, whatever it passes through. */
export function nameFile(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FileError || named.has(error)) return error
  if (typeof (error as NodeJS.ErrnoException).errno === 'number') {
    return new FileError(`cannot read ${path}: ${reason(error)}`)
  }
  error.message = `${path}: ${error.message}`
  named.add(error)
  return error
}

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw nameFile(path, error)
  }
}

/** Opens a model, gives it to `use`, closes it; messages about its data name the file. */
export async function withModel<T>(path: string, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await naming(path, () => openModel(path))
  try {
    return await use({ ...model, read: (name) => naming(path, () => readOne(path, name, model)) })
  } catch (error) {
    // These two are about the command line.
    throw isUsage(error) ? error : nameFile(path, error)
  } finally {
    await model.close()
  }
}

async function readOne(path: string, name: string, model: Model): Promise<FileTensor> {
  try {
    return await model.read(name)
  } catch (error) {
    // The name is one of the model's: only an array can be out of range, the one that should hold the tensor.
    if (isRefusal(error) || isTooLarge(error))
      throw new FileError(`cannot read ${path}: tensor ${name}: ${error.message}`)
    throw error
  }
}

/** Files begun and not finished: removed when the process is asked to end. */
const unfinished = new Set<string>()

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129]
] as const) {
  process.once(signal, () => {
    for (const path of unfinished) rmSync(path, { force: true })
    process.exit(code)
  })
}

/**
 * Writes an output whole or not at all: to a temporary file beside it, which takes its name at the end. Refuses to
 * write over an input.
 */
export async function writeWhole<T>(
  output: string,
  inputs: readonly string[],
  write: (sink: ByteSink) => Promise<T>
): Promise<T> {
  await refuseInput(output, inputs)
  // Through a symbolic link to the file that it means.
  const target = await realpath(output).catch(() => output)
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  // Before it exists: a signal may come between the two.
  unfinished.add(temporary)
  const handle = await create(output, temporary)
  try {
    const result = await write(sinkOf(handle, output))
    await attempt(output, async () => {
      await handle.sync()
      await handle.close()
      await rename(temporary, target)
    })
    return result
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  } finally {
    unfinished.delete(temporary)
  }
}

async function attempt<T>(output: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new FileError(`cannot write ${output}: ${reason(error)}`)
  }
}

async function create(output: string, temporary: string): Promise<FileHandle> {
  return attempt(output, async () => {
    const existing = await stat(output).catch(() => undefined)
    if (existing?.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' })
    if (existing && !existing.isFile())
      throw new Error('it is a device or a pipe, which cannot appear whole or not at all')
    return open(temporary, 'wx', existing?.mode)
  })
}

function sinkOf(handle: FileHandle, output: string): ByteSink {
  return {
    async write(position, bytes) {
      let done = 0
      while (done < bytes.length) {
        const rest = bytes.subarray(done)
        const { bytesWritten } = await attempt(output, () => handle.write(rest, 0, rest.length, position + done))
        done += bytesWritten
      }
    }
  }
}

/** Whether two paths mean one file, which need not be there yet. */
export async function meanOneFile(a: string, b: string): Promise<boolean> {
  const placeOf = (path: string): Promise<string> =>
    realpath(path).catch(async () => {
      const folder = await realpath(dirname(path)).catch(() => resolve(dirname(path)))
      return join(folder, basename(path))
    })
  return (await placeOf(a)) === (await placeOf(b))
}

/** Refuses an output that is one of the inputs, by the option that names it. */
export async function refuseInput(output: string, inputs: readonly string[], option = '--output'): Promise<void> {
  const target = await realpath(output).catch(() => undefined)
  if (target === undefined) return
  const { dev, ino } = await stat(target)
  for (const input of inputs) {
    const source = await stat(input).catch(() => undefined)
    if (source && source.dev === dev && source.ino === ino) {
      throw new UsageError(`${option} ${output} is the input itself, which is never changed; give another name`)
    }
  }
}

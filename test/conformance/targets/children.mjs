import { spawn } from 'node:child_process'

const running = new Set()
const groups = process.platform !== 'win32'

function kill(child) {
  running.delete(child)
  try {
    process.kill(groups ? -child.pid : child.pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

// A run that is cut short leaves nothing behind.
process.once('exit', () => running.forEach(kill))

/** Starts a program in a process group of its own: what it starts ends with it, when the scope does. */
export function start(defer, command, args, options) {
  const child = spawn(command, args, { ...options, detached: groups })
  if (child.pid !== undefined) running.add(child)
  const failed = new Promise((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`${command} ended with ${signal ?? code}`)))
  })
  const gone = failed.catch(() => {})
  defer(() => {
    kill(child)
    return gone
  })
  return { child, failed }
}

/** All that a stream says, or its first line alone. */
export async function textOf(stream, firstLine = false) {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) {
    text += chunk
    if (firstLine && text.includes('\n')) break
  }
  return text
}

/** Runs a program to its end and gives its standard output. */
export async function output(defer, command, args, options) {
  const { child } = start(defer, command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  const [code, out, complaint] = await Promise.all([ended, textOf(child.stdout), textOf(child.stderr)])
  if (code !== 0) throw new Error(`${command} ended with ${code}\n${complaint}`)
  return out
}

export async function json(defer, command, args, options) {
  const text = await output(defer, command, args, options)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${command} printed no table but ${JSON.stringify(text.slice(0, 500))}`)
  }
}

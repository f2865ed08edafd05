import { once } from 'node:events'
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { safetensorsHeader } from '../../src/files/safetensorsWriter.js'
import { start, temporaryFolder, tersor } from '../support/cli.js'

const folder = temporaryFolder()
const TENSORS = 8
const LENGTH = 6_000_000

/** 192 MB, of which the disk has little: zeros, and some ones in each tensor. */
beforeAll(() => {
  const byteLength = 4 * LENGTH
  const entries = Array.from({ length: TENSORS }, (_, i) => ({
    name: `layer.${i}`,
    dtype: 'F32' as const,
    shape: [LENGTH / 1000, 1000],
    byteLength
  }))
  const header = safetensorsHeader(entries)
  const file = openSync(join(folder, 'large.safetensors'), 'w')
  writeSync(file, header)
  ftruncateSync(file, header.length + TENSORS * byteLength)
  const ones = new Uint8Array(new Float32Array(1000).fill(1).buffer)
  for (let i = 0; i < TENSORS; i++) writeSync(file, ones, 0, ones.length, header.length + i * byteLength)
  closeSync(file)
})

const temporaries = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.tmp'))

/** Sends the signal as soon as something of the result is there. */
async function interrupt(signal: NodeJS.Signals, output: string): Promise<{ code: number | null; by: string | null }> {
  const args = ['compress', 'large.safetensors', '-o', output, '--prune', '0.5', '--quantize', 'int8', '--axis', '0']
  const child = start(args, folder)
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  while (temporaries().length === 0 && child.exitCode === null) await wait(2)
  await wait(20)
  child.kill(signal)
  const [code, by] = await ended
  return { code, by }
}

describe.skipIf(process.platform === 'win32')('a run that is stopped in its middle', () => {
  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129]
  ] as const) {
    it(`${signal}: no half output, nothing left behind`, async () => {
      expect(await interrupt(signal, 'out')).toEqual({ code: expected, by: null })
      expect(readdirSync(folder)).toEqual(['large.safetensors'])
    })
  }

  it('SIGTERM: an earlier output stays', async () => {
    writeFileSync(join(folder, 'out'), 'an earlier result')
    expect((await interrupt('SIGTERM', 'out')).code).toBe(143)
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('an earlier result')
    expect(temporaries()).toEqual([])
    rmSync(join(folder, 'out'))
  })

  it('SIGKILL: no half output under its name, and the next run is not disturbed', async () => {
    expect(await interrupt('SIGKILL', 'out')).toEqual({ code: null, by: 'SIGKILL' })
    expect(readdirSync(folder)).not.toContain('out')
    const left = temporaries()
    expect(left).toHaveLength(1)
    const args = ['compress', 'large.safetensors', '-o', 'out', '--quantize', 'int8', '--quiet', '--json']
    const { code, stdout } = await tersor(args, folder)
    expect(code).toBe(0)
    expect((JSON.parse(stdout) as { tensors: unknown[] }).tensors).toHaveLength(TENSORS)
    expect(temporaries()).toEqual(left)
  })
})

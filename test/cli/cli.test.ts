import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { encodeSafetensors } from '../../src/model/index.js'
import { CLI, temporaryFolder, tersor } from '../support/cli.js'
import { normals } from '../support/random.js'

const folder = temporaryFolder()
const names = Array.from({ length: 6 }, (_, i) => `layer.${i}`)
writeFileSync(
  join(folder, 'model.safetensors'),
  encodeSafetensors(names.map((name, i) => ({ name, shape: [300, 400], data: normals(120000, i) })))
)
const COMMANDS = ['compress', 'evaluate', 'search', 'decompress', 'inspect', 'diff']
const COMPRESS = ['compress', 'model.safetensors', '-o', 'out', '--quantize', 'int8']

const shell = promisify(execFile)

describe('tersor', () => {
  it('says its version', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    for (const option of ['--version', '-V']) {
      expect(await tersor([option])).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
    }
  })

  it('lists its commands, and the options of each', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = await tersor(args)
      expect([code, stderr]).toEqual([0, ''])
      for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    }
    for (const command of COMMANDS) {
      const { code, stdout } = await tersor([command, '--help'])
      expect(code).toBe(0)
      expect(stdout).toContain(`Usage: tersor ${command}`)
      expect(stdout).toContain('--json')
    }
    const { stdout } = await tersor(['compress', '--help'])
    const options =
      'output quantize group axis asymmetric prune pattern scope rank energy max-error include exclude json quiet ' +
      'bits recall bytes method centroids metric originals plot seed'
    for (const option of options.split(' ')) expect(stdout).toContain(`--${option}`)
  })

  it('keeps progress to stderr, and stdout pure JSON', async () => {
    const { stdout, stderr } = await tersor([...COMPRESS, '--json'], folder)
    expect(JSON.parse(stdout)).toMatchObject({ input: 'model.safetensors' })
    const lines = stderr.trim().split('\n')
    expect(lines[0]).toMatch(/0% \| 0 of 6 tensors \| 0\.00 GB\/s \| \? left/)
    expect(lines.at(-1)).toMatch(/100% \| 6 of 6 tensors \| \d+\.\d\d GB\/s \| 0 s left \| layer\.5$/)
    // Plain lines: nothing that moves a cursor.
    expect(stderr).not.toContain('\u001b')
    expect(stderr).not.toContain('\r')
    const json = await tersor(['decompress', 'out', '-o', 'back', '--json'], folder)
    expect(JSON.parse(json.stdout)).toMatchObject({ tensors: 6 })
    expect(json.stderr).toMatch(/100% \| 6 of 6 tensors/)
  })

  it('is silent about progress when asked', async () => {
    expect(await tersor([...COMPRESS, '--json', '--quiet'], folder)).toMatchObject({ code: 0, stderr: '' })
    expect(await tersor(['decompress', 'out', '-o', 'back', '--quiet'], folder)).toMatchObject({ code: 0, stderr: '' })
  })

  it('draws a bar on a terminal, with speed and time left', async ({ skip }) => {
    if (process.platform !== 'linux') skip('script(1) takes other options here')
    const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
    const line = [process.execPath, CLI, ...COMPRESS].map(quote).join(' ')
    const { stdout } = await shell('script', ['-qec', line, '/dev/null'], { cwd: folder }).catch((error) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') skip('no script(1) here')
      throw error
    })
    // The bar is redrawn in place, from empty to full, and the cursor comes back.
    expect(stdout.split('\u001b[1G').length).toBeGreaterThan(2)
    expect(stdout).toMatch(/-{24} 0% \| 0 of 6 tensors \| 0\.00 GB\/s \| \? left/)
    expect(stdout).toMatch(/={24} 100% \| 6 of 6 tensors \| \d+\.\d\d GB\/s \| 0 s left \| layer\.5/)
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
    expect(stdout).toContain('wrote out in')
  })

  it('does not fail when its reader has seen enough', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ name: `w.${i}`, shape: [1], data: Float32Array.of(i) }))
    writeFileSync(join(folder, 'many.safetensors'), encodeSafetensors(many))
    const line = '"$0" "$1" inspect many.safetensors | head -n 1; echo "${PIPESTATUS[0]}"'
    const { stdout, stderr } = await shell('bash', ['-c', line, process.execPath, CLI], { cwd: folder })
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toEqual([expect.stringContaining('3000 tensors'), '0', ''])
  })
})

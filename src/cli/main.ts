#!/usr/bin/env node
import { run } from './program.js'

// Who reads the output may have seen enough (`| head`); a run that only lost its progress goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
process.stderr.on('error', () => undefined)

process.exitCode = await run(process.argv.slice(2))

// npm test -- quantize: the tests of a domain, by its name. Anything else goes to vitest as it stands.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './commands.mjs'

const isDomain = (word) => /^\w+$/.test(word) && existsSync(join(root, 'test', word))
const words = process.argv.slice(2).map((word) => (isDomain(word) ? `test/${word}/` : word))
// vitest has said what failed.
await run('vitest', 'vitest', 'run', ...words).catch(() => process.exit(1))

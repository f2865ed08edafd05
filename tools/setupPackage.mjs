// Before tests that read what is published.
import { join } from 'node:path'
import { root, start } from './commands.mjs'

export const setup = () => start(join(root, 'tools/build.mjs'))

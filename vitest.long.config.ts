import { defineConfig } from 'vitest/config'
import { projectsOf } from './vitest.config.js'

/** What takes long: not in `npm test`, but in every run of continuous integration. */
export default defineConfig({
  test: { testTimeout: 60_000, maxWorkers: '100%', projects: projectsOf('.long.test.ts') }
})

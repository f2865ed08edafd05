import { defineConfig, type TestProjectConfiguration } from 'vitest/config'

/** Domains whose tests read what is published: the whole package is built before them. Others need the kernels alone. */
const PACKAGED = ['cli', 'conformance', 'examples', 'habits', 'pool', 'serverless']

/** Two projects, so that what a run does not need is not built for it. */
export function projectsOf(ending: string, exclude: readonly string[] = []): TestProjectConfiguration[] {
  const packaged = PACKAGED.map((domain) => `test/${domain}/**/*${ending}`)
  const never = ['test/slow/**', '**/node_modules/**', ...exclude]
  const sources = { include: [`test/**/*${ending}`], exclude: [...never, ...packaged] }
  return [
    { extends: true, test: { name: 'sources', ...sources, globalSetup: 'tools/setupKernels.mjs' } },
    {
      extends: true,
      test: { name: 'package', include: packaged, exclude: never, globalSetup: 'tools/setupPackage.mjs' }
    }
  ]
}

export default defineConfig({
  test: { testTimeout: 60_000, maxWorkers: '100%', projects: projectsOf('.test.ts', ['**/*.long.test.ts']) }
})

// What bundlers make of the package for the web, each run in Chromium.
import { chromium, resultOf } from './browsers.mjs'
import { bundle } from './bundle.mjs'
import { hasPackage } from './find.mjs'

export const bundles = ['vite', 'webpack', 'rollup', 'esbuild'].map((name) => ({
  name,
  found: hasPackage(name) ? chromium : undefined,
  async run(program, use) {
    await bundle(use.defer, name, use.project)
    return resultOf('chromium', program, `bundles/${name}/index.html`, use)
  }
}))

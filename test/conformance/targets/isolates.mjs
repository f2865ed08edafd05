// Runtimes without a standard output, which compile no bytes: the table is the answer to a request.
import { bundle, script } from './bundle.mjs'
import { json } from './children.mjs'
import { hasPackage } from './find.mjs'

/** Bundles the entry of a target, and runs it by a script of ours that prints the answer. */
function isolate(name, host, found) {
  return {
    name,
    found,
    async run(node, { project, defer }) {
      const folder = await bundle(defer, name, project)
      return json(defer, node, [script(host)], { cwd: folder })
    }
  }
}

const bundler = hasPackage('esbuild')

const node = (name) => (bundler && hasPackage(name) ? process.execPath : undefined)

export const isolates = [
  isolate('workerd', 'miniflare-host.mjs', node('miniflare')),
  isolate('edge-runtime', 'edge-host.mjs', node('edge-runtime'))
]

// Runtimes without a standard output, which compile no bytes: the table is the answer to a request.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, script } from './bundle.mjs'
import { json, start, textOf } from './children.mjs'
import { hasPackage, packaged } from './find.mjs'

/** Modules bear their file names; the port is a free one. */
function configuration(files) {
  const modules = files.map((file) => {
    const kind = file.endsWith('.wasm') ? 'wasm' : 'esModule'
    return `(name = "${file}", ${kind} = embed "${file}")`
  })
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (compatibilityDate = "2026-01-01", modules = [${modules.join(', ')}]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`
}

async function inWorkerd(path, { project, defer }) {
  const folder = await bundle(defer, 'workerd', project)
  // The first module is the main one.
  const files = readdirSync(folder).sort((a, b) => Number(a.endsWith('.wasm')) - Number(b.endsWith('.wasm')))
  writeFileSync(join(folder, 'config.capnp'), configuration(files))
  const { child, failed } = start(defer, path, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe']
  })
  const { port } = JSON.parse(await Promise.race([textOf(child.stdio[3], true), failed]))
  const response = await Promise.race([fetch(`http://127.0.0.1:${port}/`), failed])
  return response.json()
}

async function inEdgeRuntime(node, { project, defer }) {
  const folder = await bundle(defer, 'edge-runtime', project)
  return json(defer, node, [script('edge-host.mjs')], { cwd: folder })
}

const bundler = hasPackage('esbuild')

export const isolates = [
  { name: 'workerd', found: bundler ? packaged('.bin/workerd') : undefined, run: inWorkerd },
  {
    name: 'edge-runtime',
    found: bundler && hasPackage('edge-runtime') ? process.execPath : undefined,
    run: inEdgeRuntime
  }
]

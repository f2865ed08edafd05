import { decompressModel } from '../model/index.js'
import { withModel, writeWhole } from './files.js'
import { bytes, printJson, printLine, showProgress } from './output.js'

interface Options {
  output: string
  json?: boolean
  quiet?: boolean
}

/** tersor decompress FILE -o OUT */
export async function decompress(file: string, { output, json, quiet }: Options): Promise<void> {
  const format = output.toLowerCase().endsWith('.npy') ? 'npy' : 'safetensors'
  const { size, tensors } = await withModel(file, (model) =>
    writeWhole(output, [file], async (sink) => {
      const progress = showProgress(quiet ?? false, model.tensors.length)
      try {
        const written = await decompressModel(model, { format, sink, onProgress: progress.step })
        return { size: written.size, tensors: model.tensors.length }
      } finally {
        progress.stop()
      }
    })
  )
  if (json) printJson({ input: file, output, format, tensors, bytes: size })
  else printLine(`wrote ${output}: ${tensors} tensor${tensors === 1 ? '' : 's'}, ${bytes(size)}`)
}

import { withModel } from './files.js'
import { bytes, printJson, printLine, printTable, ratio, shape } from './output.js'

/** tersor inspect FILE */
export async function inspect(file: string, { json }: { json?: boolean }): Promise<void> {
  await withModel(file, async ({ format, size, compressed, metadata, tensors }) => {
    if (json) {
      printJson({ file, format, bytes: size, compressed, metadata, tensors })
      return
    }
    const kind = compressed ? `${format}, compressed by tersor` : format
    printLine(`${file}: ${kind}, ${bytes(size)}, ${tensors.length} tensor${tensors.length === 1 ? '' : 's'}`)
    for (const [key, value] of Object.entries(metadata)) printLine(`${key}: ${value}`)
    printTable(
      ['tensor', 'dtype', 'shape', 'stored as', 'bytes', 'ratio'],
      tensors.map((tensor) => [
        tensor.name,
        tensor.dtype,
        shape(tensor.shape),
        tensor.encoding,
        bytes(tensor.byteLength),
        tensor.byteLength ? ratio(tensor.originalByteLength / tensor.byteLength) : ''
      ])
    )
  })
}

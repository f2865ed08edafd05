import { diffModels } from '../model/index.js'
import { nameFile, withModel } from './files.js'
import { decibels, printJson, printTable, shape, share } from './output.js'

/** tersor diff A B */
export async function diff(a: string, b: string, { json }: { json?: boolean }): Promise<void> {
  const differences = await withModel(a, (left) =>
    withModel(b, async (right) => {
      try {
        return await diffModels(left, right)
      } catch (error) {
        throw nameFile(`${a}, ${b}`, error)
      }
    })
  )
  if (json) {
    printJson({ a, b, tensors: differences })
    return
  }
  printTable(
    ['tensor', 'shape', 'verdict', 'relative error', 'SNR dB', 'greatest error'],
    differences.map(({ name, a: left, b: right, verdict, error }) => [
      name,
      verdict === 'shape' ? `${shape(left)} / ${shape(right)}` : shape(left ?? right),
      verdict,
      share(error?.relativeError),
      decibels(error?.snr),
      share(error?.maxAbsoluteError)
    ])
  )
}

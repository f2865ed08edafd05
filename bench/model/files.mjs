import {
  compressModel,
  decompressModel,
  diffModels,
  encodeNpy,
  encodeSafetensors,
  openModel,
  openTensors
} from '../../build/model.js'
import { check, gigabytes, interleave, milliseconds, tiled, times } from '../harness.mjs'

const LAYERS = 6
const SHAPE = [2048, 1024]
const BYTES = 4 * LAYERS * SHAPE[0] * SHAPE[1]

export async function run(report) {
  const tensors = Array.from({ length: LAYERS }, (_, i) => ({
    name: `layer${i}.weight`,
    data: tiled(SHAPE[0] * SHAPE[1], i + 1),
    shape: SHAPE
  }))
  const file = encodeSafetensors(tensors)
  const npy = { data: tensors[0].data, shape: SHAPE }
  const recipe = { quantize: { format: 'int8', axis: 0 } }
  const { bytes } = await compressModel(await openModel(file), recipe)
  const back = await decompressModel(await openModel(bytes))
  const [difference] = await diffModels(await openModel(file), await openModel(back.bytes))
  check(difference.error.snr > 30, 'int8 of normal numbers')
  const copy = new Uint8Array(file.length)
  const readAll = async (opened) => {
    for (const { name } of opened.tensors) await opened.read(name)
  }
  const ms = await interleave(
    {
      memcpy: () => copy.set(file),
      encodeSafetensors: () => encodeSafetensors(tensors),
      'encodeNpy (a sixth)': () => encodeNpy(npy),
      'openTensors, all read': async () => readAll(await openTensors(file)),
      'openModel, int8 restored': async () => readAll(await openModel(bytes)),
      'compressModel int8': async () => compressModel(await openModel(file), recipe),
      'compressModel 80% pruned, int4': async () =>
        compressModel(await openModel(file), { prune: { sparsity: 0.8 }, quantize: { format: 'int4', group: 32 } }),
      'decompressModel int8': async () => decompressModel(await openModel(bytes)),
      diffModels: async () => diffModels(await openModel(file), await openModel(back.bytes))
    },
    { rounds: 5 }
  )
  report(
    `model files: ${LAYERS} matrices of ${SHAPE.join('x')} f32, ${(BYTES / 1e6).toFixed(0)} MB in memory`,
    ['', 'time', 'f32 bytes', 'of memcpy'],
    Object.entries(ms).map(([name, time]) => {
      const size = name.includes('sixth') ? BYTES / LAYERS : BYTES
      return [name, milliseconds(time), gigabytes(size, time), times((ms.memcpy * size) / BYTES, time)]
    })
  )
}

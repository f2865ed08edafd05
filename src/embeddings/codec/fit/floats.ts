import { floatQuantizer } from '../methods/floats.js'
import type { Fitter } from './fitter.js'
import { chosenBits } from './options.js'

export const float32: Fitter<{ bits?: number }> = {
  method: 'float32',
  options: [],
  bits: [32],
  fit: (_engine, { dimensions, metric }, options) => {
    chosenBits('float32', options.bits, [32], 32)
    return floatQuantizer('float32', dimensions, metric)
  }
}

export const float16: Fitter<{ bits?: number }> = {
  method: 'float16',
  options: [],
  bits: [16],
  fit: (_engine, { dimensions, metric }, options) => {
    chosenBits('float16', options.bits, [16], 16)
    return floatQuantizer('float16', dimensions, metric)
  }
}

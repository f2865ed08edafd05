import { halfFormat } from './half.js'

/** IEEE 754 binary16. */
export const float16 = /* @__PURE__ */ halfFormat({
  name: 'float16',
  exponentBits: 5,
  dtype: 'F16',
  encode: 'encodeF16',
  decode: 'decodeF16'
})

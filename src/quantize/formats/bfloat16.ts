import { halfFormat } from './half.js'

/** The upper half of an IEEE 754 binary32. */
export const bfloat16 = /* @__PURE__ */ halfFormat({
  name: 'bfloat16',
  exponentBits: 8,
  dtype: 'BF16',
  encode: 'encodeBF16',
  decode: 'decodeBF16'
})

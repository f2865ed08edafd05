import { integerFormat, NIBBLES } from './integer.js'

export const uint4 = /* @__PURE__ */ integerFormat({ name: 'uint4', bits: 4, signed: false, packing: NIBBLES })

import { integerFormat, NIBBLES } from './integer.js'

export const int4 = /* @__PURE__ */ integerFormat({ name: 'int4', bits: 4, signed: true, packing: NIBBLES })

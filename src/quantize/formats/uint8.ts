import { integerFormat } from './integer.js'

export const uint8 = /* @__PURE__ */ integerFormat({ name: 'uint8', bits: 8, signed: false })

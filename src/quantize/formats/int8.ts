import { integerFormat } from './integer.js'

export const int8 = /* @__PURE__ */ integerFormat({ name: 'int8', bits: 8, signed: true })

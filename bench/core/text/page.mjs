import { measure } from './measure.mjs'

globalThis.result = await measure()

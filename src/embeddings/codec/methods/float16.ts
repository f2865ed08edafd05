import { floatKind } from './floats.js'

export const float16 = floatKind('float16')

import { floatKind } from './floats.js'

export const float32 = floatKind('float32')

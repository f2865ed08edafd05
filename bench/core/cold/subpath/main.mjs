import { quantize } from 'tersor/quantize'

console.log(quantize([1, -2, 3], { format: 'int8' }).codes.length)

import { quantize } from 'tersor'

console.log(quantize([1, -2, 3], { format: 'int8' }).codes.length)

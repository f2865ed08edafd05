import type { Tensor, TensorLike } from '../../core/tensor.js'
import type { DequantizeOptions } from '../../quantize/dequantize.js'
import { MODULES } from '../../quantize/engine.js'
import type { FakeQuantized, FakeQuantizeOptions } from '../../quantize/fakeQuantize.js'
import type { HalfFormat, IntegerFormat } from '../../quantize/formats.js'
import type { QuantizeOptions } from '../../quantize/options.js'
import type { Quantized, QuantizedHalf, QuantizedIntegers } from '../../quantize/quantized.js'
import { chunk } from '#worker/quantize'
import { asSource, ofTensor, takeFrom } from '../call.js'
import type { Domain, DomainParts, OwnDomain } from '../domain.js'
import { dequantizePlan, fakeQuantizePlan, quantizePlan } from '../plans/quantize.js'
import { programs } from '../programs/quantize.js'
import type { Run } from '../run.js'

/** The verbs of {@link quantizing}. */
export interface Quantizing {
  quantize(tensor: TensorLike, options: Run<QuantizeOptions & { format: IntegerFormat }>): Promise<QuantizedIntegers>
  quantize(tensor: TensorLike, options: Run<QuantizeOptions & { format: HalfFormat }>): Promise<QuantizedHalf>
  quantize(tensor: TensorLike, options: Run<QuantizeOptions>): Promise<Quantized>
  dequantize(quantized: Quantized, options?: Run<DequantizeOptions>): Promise<Tensor>
  fakeQuantize(tensor: TensorLike, options: Run<FakeQuantizeOptions>): Promise<FakeQuantized>
}

function parts(): DomainParts<Quantizing> {
  return {
    modules: MODULES,
    programs,
    chunk,
    whole: { program: 'wholeQuantize', modules: MODULES },
    calls: {
      quantize: ofTensor('quantize', 'tensor', ([tensor, options]) =>
        quantizePlan(tensor as TensorLike, options as QuantizeOptions)
      ),
      fakeQuantize: ofTensor('fakeQuantize', 'tensor', ([tensor, options]) =>
        fakeQuantizePlan(tensor as TensorLike, options as FakeQuantizeOptions)
      ),
      dequantize: {
        options: 1,
        plan: ([quantized, options]) => dequantizePlan(quantized as Quantized, options as DequantizeOptions),
        take: ([quantized, ...rest]) => {
          const { codes, ...others } = quantized as Quantized
          return takeFrom({
            tensors: [asSource('dequantize: "codes"', codes)],
            put: ([owned]) => [{ ...others, codes: owned!.data }, ...rest]
          })
        }
      }
    }
  }
}

/** Quantisation in a pool: `quantize`, `dequantize`, `fakeQuantize`. */
export const quantizing: Domain<Quantizing> = { name: 'quantizing', parts } as OwnDomain<Quantizing>

import { internalError, MemoryLimitError } from './errors.js'

/** An address in linear memory. */
export type Pointer = number

/** What is used of a WebAssembly.Memory, so that the declarations need no library of the web's types. */
export interface LinearMemory {
  readonly buffer: ArrayBufferLike
  grow(pages: number): number
}

const PAGE = 65536
const ALIGNMENT = 64
/**
 * The first byte that is not the compiler's: it leaves out what a null pointer could reach. No module has data below.
 */
const ARENA_START = 1024
/** wasm32 ends here; the last page is left out so that a pointer past an end never wraps to 0. */
export const LARGEST_MEMORY = 65535 * PAGE

/**
 * The only door to linear memory: a bump arena over one WebAssembly.Memory. Growth detaches every view, so views are
 * made at use and never kept.
 */
export class Memory {
  private top = ARENA_START
  private frames = 0
  /** the kernels of each module over this memory, by its name */
  readonly instances = new Map<string, object>()

  constructor(
    readonly wasm: LinearMemory,
    readonly limit: number
  ) {}

  /** Bytes that the instance holds now. */
  get size(): number {
    return this.wasm.buffer.byteLength
  }

  /** The first byte that is free. */
  get used(): number {
    return this.top
  }

  /** Runs `body` and takes back all that it allocated, also when it throws. */
  frame<T>(body: () => T): T {
    return this.lend(undefined, body)
  }

  /** The same for a body that takes this memory and kernels over it. Calls on small inputs feel each closure. */
  lend<K, T>(kernels: K, body: (memory: Memory, kernels: K) => T): T {
    const mark = this.top
    this.frames++
    try {
      return body(this, kernels)
    } finally {
      this.frames--
      this.top = mark
    }
  }

  /** Opens a frame of work that pauses; what it returns closes it. Meanwhile nothing else may use this memory. */
  open(): () => void {
    const mark = this.top
    this.frames++
    return () => {
      this.frames--
      this.top = mark
    }
  }

  /** Room that stays. The end of an open frame would free it: only where none is open. */
  allocForever(bytes: number): Pointer {
    if (this.frames > 0) throw internalError('permanent room while a frame is open')
    return this.alloc(bytes)
  }

  /** Room for `bytes` bytes, aligned to 64, uninitialised; it lives until its frame ends. */
  alloc(bytes: number): Pointer {
    const pointer = this.top
    const end = align(pointer + bytes)
    if (end > this.limit) throw new MemoryLimitError(end, this.limit)
    const missing = end - this.size
    if (missing > 0) {
      try {
        this.wasm.grow(Math.ceil(missing / PAGE))
      } catch {
        throw new MemoryLimitError(end, this.size)
      }
    }
    this.top = end
    return pointer
  }

  f32(pointer: Pointer, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.wasm.buffer as ArrayBuffer, pointer, length)
  }

  f64(pointer: Pointer, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.wasm.buffer as ArrayBuffer, pointer, length)
  }

  i8(pointer: Pointer, length: number): Int8Array<ArrayBuffer> {
    return new Int8Array(this.wasm.buffer as ArrayBuffer, pointer, length)
  }

  u8(pointer: Pointer, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.wasm.buffer as ArrayBuffer, pointer, length)
  }

  u16(pointer: Pointer, length: number): Uint16Array<ArrayBuffer> {
    return new Uint16Array(this.wasm.buffer as ArrayBuffer, pointer, length)
  }

  i32(pointer: Pointer, length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.wasm.buffer as ArrayBuffer, pointer, length)
  }

  u32(pointer: Pointer, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.wasm.buffer as ArrayBuffer, pointer, length)
  }
}

function align(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT
}

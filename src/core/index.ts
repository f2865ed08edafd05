/**
 * The core: what every domain stands on. It knows no domain, and imports nothing.
 *
 * Read errors and check first: every error carries a `code`, options are closed. Then, in this order:
 * - tensor: what comes in becomes a `Source`
 * - layout: which elements share a scale; windows and tiles: how that is cut for kernels; packed and mask
 * - modules: kernels from text to WebAssembly.Module; engine: modules over one memory
 * - memory: frames; it is the only file that touches the buffer
 * - progress: `signal` and `onProgress` of long calls; powers and scalars: exact arithmetic that hosts lack
 *
 * Nothing is exported here: domains import the files themselves, so that bundlers see what each needs.
 */
export {}

// Before tests that read the sources: they need the kernels alone.
export { compileKernels as setup } from './kernels.mjs'

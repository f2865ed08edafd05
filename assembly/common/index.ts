/** The module of what belongs to no domain. */
export * from './shared'
export { log10F64 } from './scalars'

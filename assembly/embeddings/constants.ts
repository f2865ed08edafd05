// Numbers of the ABI, for kernels and faces alike: asc and tsc both compile this file.

/**
 * Where the parts of turbo's tables begin: i16[8] thresholds in 1/4096; u8[4][16] bytes of the levels; f32[16] levels.
 */
export const PLANES = 16
export const LEVELS = 80
export const LEVEL_BYTES = 144
/** Centroids whose median k-means takes off rows and centroids first. */
export const MEDIAN = 31

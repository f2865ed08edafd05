/**
 * Low rank: two factors in the place of a matrix, in floats or codes, with or without a residual.
 *
 * Read options (what may be asked), lowRank (the verb) and reconstruct (the way back). basis finds the best factors, of
 * the matrix or of its outputs. fit rounds factors and residual to a format; spread turns columns to one size.
 * plan shares a budget among many matrices: spectrum has what each loses at each rank, allocate who gets what.
 * algebra has the products that these need.
 *
 * May import core, linalg and quantize. Exports are those of tersor; src/index.ts names them.
 */
export {}

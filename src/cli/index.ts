/**
 * The command line. It stands on the public entry points alone, as any program of a user would.
 *
 * Read main (the process), then program (commands and their options), then a file a command: compress, decompress,
 * inspect, diff for tensors; compressVectors, evaluate, search for vectors.
 * Shared by them:
 * - files reads inputs, and writes outputs whole or not at all
 * - vectors has what the commands for vectors need
 * - output draws tables and progress
 * - errors decides the exit code by the `code` of an error, 1 for a bad file, 2 for a bad command line
 *
 * May import the entries tersor, tersor/embeddings and tersor/model, and libraries.
 */
export {}

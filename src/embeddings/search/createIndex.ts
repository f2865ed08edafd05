import { typeError } from '../../core/errors.js'
import { checkOptions, show } from '../../core/check.js'
import { readableBytes, type Readable } from '../../files/fileSystem.js'
import { openInput, type FileInput } from '../../files/openInput.js'
import type { BlobLike } from '../../files/source.js'
import { codecOf, type Codec } from '../codec/codec.js'
import { decodeCodec } from '../codec/openCodec.js'
import { CodeIndex } from './codeIndex.js'
import { encoder, type Encoder } from './encoder.js'
import type { Index } from './indexInterface.js'
import { checkIndexOptions, type IndexOptions } from './options.js'
import { readIndexFile } from './readIndex.js'

/**
 * An empty index of a codec's codes. It searches all rows, or, with `lists`, those near a query. K-means of a sample
 * makes the lists at the first search or save that finds 32 rows for each.
 *
 * @throws TypeError, RangeError for what is no codec, and for options that are unknown or out of range
 */
export function createIndex(codec: Codec, options: IndexOptions = {}): Index {
  return new CodeIndex('createIndex', codec, checkIndexOptions('createIndex', options), encoder)
}

export interface OpenIndexOptions {
  /**
   * `encoder` of `tersor/embeddings`: then the index takes new vectors, too, and its codec encodes and decodes.
   * Default: none, for searching alone, which spares a page a fifth of the code
   */
  encoder?: Encoder
}

/**
 * Opens what an index's `toBytes` or `save` gave: bytes, a Blob (a File is one; as a promise), or the path of a file
 * (Node, Deno, Bun). The codes are read to where they are searched, as they are. It searches, removes, takes codes and
 * is saved again; with `encoder` it takes vectors as well.
 *
 * @throws FormatError for a file that is damaged, of another kind or version
 * @throws the runtime's own error where a path or a Blob cannot be read
 */
export function openIndex(input: FileInput, options?: OpenIndexOptions): Index
export function openIndex(input: BlobLike, options?: OpenIndexOptions): Promise<Index>
export function openIndex(input: FileInput | BlobLike, options: OpenIndexOptions = {}): Index | Promise<Index> {
  const verb = 'openIndex'
  checkOptions(verb, options, ['encoder'])
  const given = options.encoder
  if (given !== undefined && typeof given?.makeLists !== 'function') {
    throw typeError(`${verb}: "encoder" expected the encoder of tersor/embeddings, got ${show(given)}`)
  }
  return openInput(verb, 'an index', input, (file) => readIndex(file, given))
}

function readIndex(file: Readable, given: Encoder | undefined): Index {
  const { settings, codec, fill } = readIndexFile(file)
  const parts = decodeCodec(readableBytes(codec))
  const index = new CodeIndex('openIndex', codecOf(parts, given), settings, given)
  fill(index.collection)
  return index
}

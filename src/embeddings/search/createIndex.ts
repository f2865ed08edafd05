import { typeError } from '../../core/errors.js'
import { isArrayOf, show } from '../../core/check.js'
import { readableBytes, withFile, type Readable } from '../../files/fileSystem.js'
import { codecOf, type Codec } from '../codec/codec.js'
import { decodeCodec } from '../codec/openCodec.js'
import { CodeIndex, type Index } from './codeIndex.js'
import { readIndexFile } from './indexFile.js'
import { checkIndexOptions, type IndexOptions } from './options.js'

/**
 * An empty index of a codec's codes. It searches all rows, or, with `lists`, those near a query: k-means of a sample makes the lists at the first search or
 * save that finds 32 rows for each.
 *
 * @throws TypeError, RangeError for what is no codec, and for options that are unknown or out of range
 */
export function createIndex(codec: Codec, options: IndexOptions = {}): Index {
  return new CodeIndex('createIndex', codec, checkIndexOptions('createIndex', options))
}

/**
 * Opens what an index's `save` gave: bytes, or the path of a file (Node, Deno, Bun). The codes are read to where they are searched, as they are.
 *
 * @throws FormatError for a file that is damaged, of another kind or version; the runtime's own error where a path cannot be read
 */
export function openIndex(input: Uint8Array | ArrayBuffer | string): Index {
  const verb = 'openIndex'
  if (typeof input === 'string') return withFile(verb, input, read)
  if (isArrayOf(input, Uint8Array)) return read(readableBytes(input))
  if (Object.prototype.toString.call(input) === '[object ArrayBuffer]') {
    return read(readableBytes(new Uint8Array(input)))
  }
  throw typeError(`${verb}: "input" expected the bytes of an index, or a path, got ${show(input)}`)
}

function read(file: Readable): Index {
  const { settings, codec, fill } = readIndexFile(file)
  const index = new CodeIndex('openIndex', codecOf(decodeCodec(readableBytes(codec))), settings)
  fill(index.collection)
  return index
}

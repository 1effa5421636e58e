import { createHash } from 'node:crypto';

/** Of what is written; raised when older programs could not read it any more. */
export const STATE_FORMAT = 1;

const MAGIC = 'secateur';
const HEADER_BYTES = 48;
const ALIGNMENT = 4;

/** Why bytes are no state; the message says what was expected, and follows the name of a file. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
}

/**
 * Plain data with float32 arrays in it, as the parts of a file that goes without any other:
 *
 *     'secateur' | format, uint32 | bytes of the JSON, uint32 | SHA-256 of both numbers and all that follows | JSON | float32 values
 *
 * in little-endian order. In the JSON an array stands as { "$float32": [first value, number of values] }, and a number that
 * JSON has no word for as { "$number": "NaN" }.
 */
export function encodeState(value: unknown): Uint8Array[] {
  const arrays: Float32Array[] = [];
  let offset = 0;
  const json = JSON.stringify(value, (_key, entry: unknown) => {
    if (entry instanceof Float32Array) {
      const reference = { $float32: [offset, entry.length] };
      arrays.push(entry);
      offset += entry.length;
      return reference;
    }
    if (ArrayBuffer.isView(entry))
      throw new Error(`A state holds Float32Arrays only, but found a ${entry.constructor.name}.`);
    return typeof entry === 'number' && isSpecial(entry) ? { $number: nameOf(entry) } : entry;
  });
  const text = Buffer.from(
    json.padEnd(json.length + ((ALIGNMENT - (Buffer.byteLength(json) % ALIGNMENT)) % ALIGNMENT)),
  );
  const body = [text, ...arrays.map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength))];
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header.writeUInt32LE(STATE_FORMAT, 8);
  header.writeUInt32LE(text.length, 12);
  checksum([header.subarray(8, 16), ...body]).copy(header, 16);
  return [header, ...body];
}

/** @throws StateFileError when the bytes are not exactly those of a state in this format. */
export function decodeState(bytes: Uint8Array): unknown {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < HEADER_BYTES) throw new StateFileError(`is cut short: it has only ${file.length} bytes`);
  if (file.toString('latin1', 0, 8) !== MAGIC) throw new StateFileError('is no checkpoint of secateur');
  const format = file.readUInt32LE(8);
  if (format !== STATE_FORMAT) {
    throw new StateFileError(`has format ${format}, but this version of secateur reads format ${STATE_FORMAT}`);
  }
  const body = file.subarray(HEADER_BYTES);
  if (!checksum([file.subarray(8, 16), body]).equals(file.subarray(16, HEADER_BYTES))) {
    throw new StateFileError('is damaged: its checksum is not that of its content');
  }
  const textBytes = file.readUInt32LE(12);
  // Copied, so that the values lie as Float32Array wants them, wherever the bytes do.
  const start = body.byteOffset + textBytes;
  const values = new Float32Array((body.buffer as ArrayBuffer).slice(start, body.byteOffset + body.length));
  return JSON.parse(body.toString('utf8', 0, textBytes), (_key, entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return entry;
    if ('$float32' in entry) {
      const [first, length] = entry.$float32 as [number, number];
      return values.slice(first, first + length);
    }
    return '$number' in entry ? SPECIAL[entry.$number as keyof typeof SPECIAL] : entry;
  });
}

const SPECIAL = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

function isSpecial(value: number): boolean {
  return !Number.isFinite(value) || Object.is(value, -0);
}

function nameOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function checksum(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

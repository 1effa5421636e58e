import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';

// The real archive has 12 entries, the largest of 23 MB.
const MOST_ENTRIES = 64;
const LARGEST_ENTRY = 32 * 1024 * 1024;

export interface UnpackOptions {
  /** Paths of the entries to keep; all must be there. */
  readonly wanted: readonly string[];
  readonly onEntry?: ((name: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads entries of a .tgz into memory; nothing is written to disk.
 *
 * @throws Error if the archive is truncated, lacks a wanted entry, or holds what a data archive has no need for: a link, a path
 *   that leaves the archive, too many or too large entries.
 */
export async function unpack(
  file: string,
  { wanted, onEntry, signal }: UnpackOptions,
): Promise<ReadonlyMap<string, Buffer>> {
  const kept = new Map<string, Buffer>();
  const tar = extract();
  const reading = pipeline(createReadStream(file), createGunzip(), tar, { signal });
  // The loop below sees this error too, through `tar`; without a handler it would end the process in the meantime.
  reading.catch(() => {});
  let entries = 0;
  try {
    for await (const entry of tar) {
      entries += 1;
      refuseUnsafe(entry.header, entries);
      const { name } = entry.header;
      if (!wanted.includes(name)) {
        entry.resume();
        continue;
      }
      if (kept.has(name)) throw new Error(`${name} is in it twice`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      kept.set(name, Buffer.concat(chunks));
      onEntry?.(name);
    }
    await reading;
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`Cannot unpack ${file}: ${(error as Error).message}.`, { cause: error });
  }
  const missing = wanted.filter((name) => !kept.has(name));
  if (missing.length > 0) throw new Error(`${file} lacks ${missing.join(', ')}: is it an archive of CIFAR-10 sheets?`);
  return kept;
}

function refuseUnsafe({ name, type, size }: Header, entries: number): void {
  if (entries > MOST_ENTRIES) throw new Error(`it has more than ${MOST_ENTRIES} entries`);
  if (type !== 'file') throw new Error(`entry ${name} is a ${type}, expected plain files only`);
  if (name.startsWith('/') || name.includes('\\') || name.includes('\0') || name.split('/').includes('..')) {
    throw new Error(`entry ${JSON.stringify(name)} has a path that leaves the archive`);
  }
  if (!(size <= LARGEST_ENTRY)) {
    throw new Error(`entry ${name} has ${size} bytes, expected at most ${LARGEST_ENTRY}`);
  }
}

import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sharedBytes } from './labelled-images.ts';

/** A file of a cache, with the checksum that it was written with. */
export interface CachedFile {
  readonly name: string;
  readonly sha256: string;
}

/** `$XDG_CACHE_HOME/secateur`, or `~/.cache/secateur`. */
export function cacheRoot(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'secateur');
}

/** @throws Error if the file is not there, or any byte of it is not as it was written. */
export async function readChecked(
  directory: string,
  name: string,
  digests: ReadonlyMap<string, string>,
): Promise<Uint8Array> {
  const file = await open(join(directory, name));
  try {
    const bytes = sharedBytes((await file.stat()).size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) throw new Error(`${name} became shorter while it was read`);
      filled += bytesRead;
    }
    if (sha256(bytes) !== digests.get(name)) throw new Error(`${name} has changed since it was written`);
    return bytes;
  } finally {
    await file.close();
  }
}

/** A crash leaves the old file or the new one, never a part. */
export async function writeThenRename(directory: string, name: string, bytes: Uint8Array): Promise<CachedFile> {
  const temporary = join(directory, `${name}.${randomUUID()}.partial`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(directory, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { name, sha256: sha256(bytes) };
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CachedFile, cacheRoot, readChecked, sha256, writeThenRename } from '../cache-files.ts';
import type { LabelledImages } from '../labelled-images.ts';
import type { ImageFolder, SkippedImage } from './read-image-folder.ts';

const MANIFEST = 'manifest.json';
const PARTS = ['train', 'validation', 'test'] as const;

interface Manifest {
  readonly format: 1;
  readonly key: string;
  readonly shape: LabelledImages['shape'];
  readonly classNames: readonly string[];
  readonly skipped: readonly SkippedImage[];
  readonly files: readonly CachedFile[];
}

/** `$XDG_CACHE_HOME/secateur/folders`, or `~/.cache/secateur/folders`. */
export function defaultFolderCache(): string {
  return join(cacheRoot(), 'folders');
}

/** @returns the images that were decoded from the same files in the same way, or undefined if there are none, or any byte has changed. */
export async function readFolderCache(directory: string, key: string): Promise<ImageFolder | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(directory, MANIFEST), 'utf8')) as Manifest;
    if (manifest.format !== 1 || manifest.key !== key) return undefined;
    const { shape, classNames, skipped, files } = manifest;
    const digests = new Map(files.map(({ name, sha256 }) => [name, sha256]));
    const parts: Partial<Record<(typeof PARTS)[number], LabelledImages>> = {};
    for (const part of PARTS) {
      if (!digests.has(`${part}-images.bin`)) continue;
      const images = await readChecked(directory, `${part}-images.bin`, digests);
      const labels = await readChecked(directory, `${part}-labels.bin`, digests);
      parts[part] = { images, labels: Int32Array.from(new Int32Array(labels.buffer)), shape, classNames };
    }
    const { train, validation, test } = parts;
    return train && test && { train, test, ...(validation && { validation }), skipped };
  } catch {
    // Whatever is wrong with a cache, the remedy is the same: decode anew.
    return undefined;
  }
}

/** The manifest comes last, so that a cache that is cut short is never taken for one. Without room for it, things only take longer. */
export async function writeFolderCache(directory: string, key: string, folder: ImageFolder): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    const files: CachedFile[] = [];
    for (const part of PARTS) {
      const data = folder[part];
      if (!data) continue;
      const labels = new Uint8Array(data.labels.buffer, data.labels.byteOffset, data.labels.byteLength);
      files.push(await writeThenRename(directory, `${part}-images.bin`, data.images));
      files.push(await writeThenRename(directory, `${part}-labels.bin`, labels));
    }
    const { shape, classNames } = folder.train;
    const manifest: Manifest = { format: 1, key, shape, classNames, skipped: folder.skipped, files };
    await writeThenRename(directory, MANIFEST, Buffer.from(`${JSON.stringify(manifest)}\n`));
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
  }
}

/** Names what images depend on. */
export function digestOf(value: unknown): string {
  return sha256(JSON.stringify(value));
}

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CachedFile, cacheRoot, readChecked, writeThenRename } from '../cache-files.ts';
import type { TrainAndTest } from '../cifar-binary.ts';
import { CIFAR10_CLASSES } from '../cifar-classes.ts';
import type { LabelledImages } from '../labelled-images.ts';

const MANIFEST = 'manifest.json';
const PARTS = ['train', 'test'] as const;
const IMAGE_BYTES = 32 * 32 * 3;

interface Manifest {
  readonly format: 1;
  /** Integrity of the archive that the files were decoded from. */
  readonly archive: string;
  readonly files: readonly CachedFile[];
}

/** `$XDG_CACHE_HOME/secateur/cifar10`, or `~/.cache/secateur/cifar10`. */
export function defaultCacheDirectory(): string {
  return join(cacheRoot(), 'cifar10');
}

/** @returns the cached images, or undefined if there are none of this archive, or any byte of them is not as it was written. */
export async function readCache(directory: string, archive: string): Promise<TrainAndTest | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(directory, MANIFEST), 'utf8')) as Partial<Manifest>;
    if (manifest.format !== 1 || manifest.archive !== archive) return undefined;
    const digests = new Map(manifest.files!.map(({ name, sha256 }) => [name, sha256]));
    const [train, test] = await Promise.all(
      PARTS.map(async (part): Promise<LabelledImages> => {
        const images = await readChecked(directory, `${part}-images.bin`, digests);
        const labels = Int32Array.from(await readChecked(directory, `${part}-labels.bin`, digests));
        if (images.length !== labels.length * IMAGE_BYTES) throw new Error(`${part}: images and labels do not match`);
        return { images, labels, shape: [32, 32, 3], classNames: CIFAR10_CLASSES };
      }),
    );
    return { train: train!, test: test! };
  } catch {
    // Whatever is wrong with a cache, the remedy is the same: build it anew.
    return undefined;
  }
}

/** Writes every file under a temporary name first, and the manifest last, so that a cache that is cut short is never taken for one. */
export async function writeCache(directory: string, archive: string, data: TrainAndTest): Promise<void> {
  await mkdir(directory, { recursive: true });
  const files: CachedFile[] = [];
  for (const part of PARTS) {
    files.push(await writeThenRename(directory, `${part}-images.bin`, data[part].images));
    files.push(await writeThenRename(directory, `${part}-labels.bin`, Uint8Array.from(data[part].labels)));
  }
  const manifest: Manifest = { format: 1, archive, files };
  await writeThenRename(directory, MANIFEST, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
}

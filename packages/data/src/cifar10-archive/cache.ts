import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TrainAndTest } from '../cifar-binary.ts';
import { CIFAR10_CLASSES } from '../cifar-classes.ts';
import { type LabelledImages, sharedBytes } from '../labelled-images.ts';

const MANIFEST = 'manifest.json';
const PARTS = ['train', 'test'] as const;
const IMAGE_BYTES = 32 * 32 * 3;

interface CachedFile {
  readonly name: string;
  readonly sha256: string;
}

interface Manifest {
  readonly format: 1;
  /** Integrity of the archive that the files were decoded from. */
  readonly archive: string;
  readonly files: readonly CachedFile[];
}

/** `$XDG_CACHE_HOME/secateur/cifar10`, or `~/.cache/secateur/cifar10`. */
export function defaultCacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'secateur', 'cifar10');
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

async function readChecked(directory: string, name: string, digests: ReadonlyMap<string, string>): Promise<Uint8Array> {
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

async function writeThenRename(directory: string, name: string, bytes: Uint8Array): Promise<CachedFile> {
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

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

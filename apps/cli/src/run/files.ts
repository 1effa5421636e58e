import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What goes into a file, in one piece or in several. */
export type Content = string | Uint8Array | readonly Uint8Array[];

/** A crash leaves the old file or the new one, never a part. */
export async function writeFileAtomically(path: string, content: Content): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeSynced(temporary, content);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * The same for a file that the user has named.
 *
 * @throws Error naming the file when it cannot be written.
 */
export async function writeOutput(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomically(path, content);
  } catch (cause) {
    throw new Error(`'${path}' cannot be written (${(cause as Error).message}). Choose another place with --out.`, {
      cause,
    });
  }
}

/** The same for a folder of files; a former folder of that name is replaced. */
export async function writeFolderAtomically(
  path: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await mkdir(temporary, { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeSynced(join(temporary, name), content);
    await replaceFolder(path, temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what writing left in a folder that was cut off by the end of its process. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (isTemporary(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A folder cannot be renamed onto a filled one: the former one steps aside first. */
async function replaceFolder(path: string, replacement: string): Promise<void> {
  const former = temporaryName(path);
  const hadFormer = await rename(path, former).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  await rename(replacement, path);
  if (hadFormer) await rm(former, { recursive: true, force: true });
}

async function writeSynced(path: string, content: Content): Promise<void> {
  const file = await open(path, 'w');
  try {
    const parts = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** So that a rename outlives a power failure; where folders cannot be opened, the system has to see to it. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  try {
    await folder?.sync();
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await folder?.close();
  }
}

export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

const TEMPORARY = /^\..+-[0-9a-f]{8}$/;

/** A hidden name beside it, which `removeTemporaries` knows. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}-${randomUUID().slice(0, 8)}`);
}

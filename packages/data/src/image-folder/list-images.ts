import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { splitIndices } from '../splits.ts';

/** A file that may hold an image, by its name. */
export interface ImageFile {
  /** Seen from the root, with '/' between folders. */
  readonly path: string;
  readonly label: number;
  readonly bytes: number;
  readonly changedMs: number;
}

/** Which files are trained on, decided by and tested on. Each list is sorted by class, then by path. */
export interface ImageListing {
  readonly classNames: readonly string[];
  readonly train: readonly ImageFile[];
  /** Undefined where the folder has none. */
  readonly validation: readonly ImageFile[] | undefined;
  readonly test: readonly ImageFile[];
}

const IMAGE = /\.(jpe?g|png|webp)$/i;
const VALIDATION = ['val', 'validation'];
const PARTS = ['train', ...VALIDATION, 'test'];

/**
 * Finds the images of a folder: class folders in train, val or validation, and test; or class folders alone, of which a share is held out
 * for the test.
 *
 * @throws Error if a folder cannot be read, there are fewer than two classes, a class has no images, a link is met, or folders fit neither form.
 */
export async function listImages(
  root: string,
  { testFraction, seed }: { readonly testFraction: number; readonly seed: number },
): Promise<ImageListing> {
  const top = await readFolder(root);
  const isSplit = top.folders.includes('train') && (await readFolder(join(root, 'train'))).folders.length > 0;
  if (!isSplit) {
    const classNames = checkClasses(top, root, '');
    return withTestHeldOut(await listClasses(root, '', classNames), classNames, { testFraction, seed });
  }
  const other = top.folders.find((name) => !PARTS.includes(name));
  if (other !== undefined) {
    throw new Error(
      `${show(root)} has ${quote(other)} beside 'train'. Expected no folders but 'train', 'val' or 'validation', and 'test' there, or class folders alone.`,
    );
  }
  const classNames = checkClasses(await readFolder(join(root, 'train')), root, 'train');
  const [validationName, second] = VALIDATION.filter((name) => top.folders.includes(name));
  if (second) throw new Error(`${show(root)} has both 'val' and 'validation'. Keep one of them.`);
  const part = async (name: string) => {
    const files = await listClasses(root, name, await knownClasses(root, name, classNames));
    return files.map((file) => ({ ...file, label: classNames.indexOf(file.path.split('/')[1]!) }));
  };
  const train = await listClasses(root, 'train', classNames);
  const validation = validationName === undefined ? undefined : await part(validationName);
  if (validation?.length === 0) throw new Error(noImages(root, validationName!));
  if (!top.folders.includes('test')) {
    return { ...withTestHeldOut(train, classNames, { testFraction, seed }), validation };
  }
  const test = await part('test');
  if (test.length === 0) throw new Error(noImages(root, 'test'));
  requireEveryClass(train, classNames, 'train');
  return { classNames, train, validation, test };
}

function withTestHeldOut(
  files: readonly ImageFile[],
  classNames: readonly string[],
  { testFraction, seed }: { readonly testFraction: number; readonly seed: number },
): ImageListing {
  requireEveryClass(files, classNames, 'the folder');
  const labels = Int32Array.from(files, ({ label }) => label);
  const [rest, held] = splitIndices({ labels, classNames }, { fraction: testFraction, seed });
  if (held.length === 0) {
    throw new Error(
      `Expected testFraction to hold out at least one image for the test, but ${testFraction} of the images of each class, ${files.length} in all, is none. Raise it, or add images or a folder 'test'.`,
    );
  }
  const train = Array.from(rest, (index) => files[index]!);
  requireEveryClass(train, classNames, 'what is left for the training');
  return { classNames, train, validation: undefined, test: Array.from(held, (index) => files[index]!) };
}

/** @throws Error if a class has no files. */
export function requireEveryClass(
  files: readonly Pick<ImageFile, 'label'>[],
  classNames: readonly string[],
  where: string,
): void {
  const found = new Set(files.map(({ label }) => label));
  const empty = classNames.find((_, label) => !found.has(label));
  if (empty === undefined) return;
  throw new Error(
    `The class ${quote(empty)} has no JPEG, PNG or WebP images in ${where}. Add some, or remove its folder.`,
  );
}

function checkClasses({ folders, images }: Folder, root: string, part: string): readonly string[] {
  const where = show(join(root, part));
  if (folders.length >= 2) {
    for (const name of folders) checkName(name, where);
    return folders;
  }
  const expected = 'Expected a sub-folder for each class, at least two, with its JPEG, PNG or WebP images.';
  if (folders.length === 1)
    throw new Error(
      `${where} has the one class ${quote(folders[0]!)}, from which there is nothing to tell apart. ${expected}`,
    );
  const found = images === 0 ? 'holds no class folders' : `holds ${images} images but no class folders`;
  throw new Error(`${where} ${found}. ${expected}`);
}

/** Class names go to terminals and files. */
function checkName(name: string, where: string): void {
  if (!CONTROL.test(name)) return;
  throw new Error(`${where} has a folder with control characters in its name, ${quote(name)}. Rename it.`);
}

async function knownClasses(root: string, part: string, classNames: readonly string[]): Promise<readonly string[]> {
  const { folders } = await readFolder(join(root, part));
  const unknown = folders.find((name) => !classNames.includes(name));
  if (unknown === undefined) return folders;
  throw new Error(
    `${show(join(root, part))} has the class ${quote(unknown)}, which 'train' does not have. Its classes are: ${classNames.join(', ')}.`,
  );
}

function noImages(root: string, part: string): string {
  return `${show(join(root, part))} has no JPEG, PNG or WebP images in class folders. Add some, or remove it.`;
}

/** The images of each class folder, at any depth. */
async function listClasses(root: string, part: string, folders: readonly string[]): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
  for (const [label, name] of folders.entries()) {
    await listBelow(root, part === '' ? name : `${part}/${name}`, label, files);
  }
  return files;
}

async function listBelow(root: string, path: string, label: number, files: ImageFile[]): Promise<void> {
  const { folders, names } = await readFolder(join(root, path));
  const facts = await Promise.all(names.map((name) => lstat(join(root, path, name))));
  for (const [index, name] of names.entries()) {
    const { size, mtimeMs } = facts[index]!;
    files.push({ path: `${path}/${name}`, label, bytes: size, changedMs: mtimeMs });
  }
  for (const name of folders) await listBelow(root, `${path}/${name}`, label, files);
}

interface Folder {
  readonly folders: readonly string[];
  /** Of files that may hold images. */
  readonly names: readonly string[];
  readonly images: number;
}

/** What is in a folder, sorted by UTF-16 code units; hidden entries and other files are none of it. */
async function readFolder(path: string): Promise<Folder> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    const reason = REASONS[cause.code ?? ''] ?? cause.message;
    throw new Error(`The image folder ${show(path)} cannot be read: ${reason}.`, { cause });
  });
  const seen = entries.filter(({ name }) => !name.startsWith('.'));
  const link = seen.find((entry) => entry.isSymbolicLink());
  if (link) {
    throw new Error(
      `${show(join(path, link.name))} is a symbolic link, which may lead out of the image folder. Put what it points to in its place.`,
    );
  }
  const sorted = (of: typeof seen) => of.map(({ name }) => name).sort();
  const names = sorted(seen.filter((entry) => entry.isFile() && IMAGE.test(entry.name)));
  return { folders: sorted(seen.filter((entry) => entry.isDirectory())), names, images: names.length };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'it is no folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: names from a disk may hold them
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

/** A name as it can be shown: control characters, which would steer a terminal, as their numbers. */
export function show(name: string): string {
  return name.replaceAll(
    new RegExp(CONTROL, 'g'),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function quote(name: string): string {
  return `'${show(name)}'`;
}

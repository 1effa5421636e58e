// What the addon was built from: written beside it, so that a build can be left out, and an old one be told from a current one.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'build', 'stamp');

/** @param {object} libtorch as findLibtorch() describes it */
export function stampOf(libtorch) {
  const processor = JSON.stringify([process.platform, process.arch, cpus()[0]?.model]);
  return { libtorch: JSON.stringify(libtorch), processor, sources: hashOfSources() };
}

/** The stamp of what is built; empty when nothing is. */
export function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

export function writeStamp(stamp) {
  writeFileSync(stampFile, JSON.stringify(stamp));
}

/** Whether the addon was built from other sources than those that lie here. */
export function isOutdated() {
  const { sources } = readStamp();
  return sources !== undefined && sources !== hashOfSources();
}

function hashOfSources() {
  const hash = createHash('sha256');
  const files = ['native', 'native/portable', 'test/strict-device'].flatMap((folder) => sourcesIn(join(root, folder)));
  for (const file of [join(root, 'CMakeLists.txt'), ...files]) {
    hash.update(file.slice(root.length)).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function sourcesIn(folder) {
  if (!existsSync(folder)) return [];
  const isSource = (name) => ['.cc', '.h'].includes(extname(name));
  return readdirSync(folder)
    .filter(isSource)
    .sort()
    .map((name) => join(folder, name));
}

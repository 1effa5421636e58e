import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

it('says what to do where sharp has no binary, and blames no file for it', async () => {
  vi.doMock('sharp', () => {
    throw new Error('Could not load the "sharp" module using the linux-x64 runtime\nPossible solutions: ...');
  });
  // The package itself loads all the same.
  const { readImageFolder } = await import('@secateur/data');
  const root = await mkdtemp(join(tmpdir(), 'no-sharp-'));
  for (const name of ['a', 'b']) {
    await mkdir(join(root, name));
    for (const file of ['1.png', '2.png', '3.png']) await writeFile(join(root, name, file), 'x');
  }
  try {
    await expect(readImageFolder(root, { size: 4, cacheDir: false })).rejects.toThrow(
      /^Images cannot be decoded, because sharp does not load on \S+: .*npm install --include=optional sharp$/,
    );
  } finally {
    await rm(root, { recursive: true });
    vi.doUnmock('sharp');
  }
});

import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the example in the README runs and prints what it says', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
  const promised = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((match) => match[1]);
  expect(promised.length).toBeGreaterThan(0);

  const file = join(root, 'test', 'readme-example.generated.ts');
  try {
    await writeFile(file, example);
    const flags = ['--conditions=@secateur/source', '--import', 'tsx'];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], {
      cwd: root,
    });
    expect(stdout.trim().split('\n')).toEqual(promised);
  } finally {
    await rm(file, { force: true });
  }
});

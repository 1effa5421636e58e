import { mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';

it("the README's example of an import is this folder's readme-import-example.ts, and runs", async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = await readFile(new URL('readme-import-example.ts', import.meta.url), 'utf8');
  const section = readme.slice(readme.indexOf('\n## Import\n'));
  expect(/```ts\n(.*?)```/s.exec(section)?.[1]).toBe(example);

  const log = vi.spyOn(console, 'log').mockReturnValue();
  const home = process.cwd();
  // It reads this folder and writes beside it.
  process.chdir(await mkdtemp(join(tmpdir(), 'secateur-import-')));
  await symlink(fileURLToPath(new URL('.', import.meta.url)), 'test');
  try {
    await import('./readme-import-example.ts');
    expect(log.mock.calls).toEqual([[[null, 32, 32, 3], []], [true]]);
  } finally {
    log.mockRestore();
    process.chdir(home);
  }
});

it('the README lists the operators that are imported', async () => {
  const { operators } = await import('../src/import/operators/table.ts');
  const { folds } = await import('../src/import/operators/fold.ts');
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.slice(readme.indexOf('\n## Import\n')).matchAll(/^\| [a-z][^|]* \| ([A-Z][^|]*)\|/gm)];
  const named = new Set(rows.flatMap(([, list]) => list!.match(/\b[A-Z]\w+/g) ?? []));
  const missing = [...operators.keys(), ...folds.keys()].filter((name) => !named.has(name));
  expect(missing).toEqual([]);
});

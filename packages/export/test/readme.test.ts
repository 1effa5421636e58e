import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

it("the README's example is this folder's readme-example.ts, and runs", async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = await readFile(new URL('readme-example.ts', import.meta.url), 'utf8');
  expect(/```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(example);

  const log = vi.spyOn(console, 'log').mockReturnValue();
  await import('./readme-example.ts');
  expect(log.mock.calls).toEqual([[['cat', 'dog']], [true, 10], [expect.stringMatching(/^\d+\.\d\d ms an image$/)]]);
  log.mockRestore();
});

it('the example of lower precision is in this folder too, and runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = await readFile(new URL('readme-precision.ts', import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);

  const log = vi.spyOn(console, 'log').mockReturnValue();
  const home = process.cwd();
  process.chdir(await mkdtemp(join(tmpdir(), 'secateur-precision-')));
  await import('./readme-precision.ts');
  process.chdir(home);
  const sizes = log.mock.calls.map(([, size]) => size as number);
  expect(log.mock.calls.map(([precision]) => precision)).toEqual(['float32', 'float16', 'int8']);
  expect(sizes[0]! / sizes[1]!).toBeGreaterThan(1.9);
  expect(sizes[0]! / sizes[2]!).toBeGreaterThan(3.4);
  expect(log.mock.calls.map(([, , same]) => same)).toEqual([16, expect.any(Number), expect.any(Number)]);
  log.mockRestore();
});

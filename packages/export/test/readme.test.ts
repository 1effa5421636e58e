import { readFile } from 'node:fs/promises';
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

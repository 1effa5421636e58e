import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';

it("runs the README's example", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const file = new URL('./readme-example.generated.ts', import.meta.url);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  writeFileSync(file, code!.replaceAll("'@secateur/core'", "'../src/index.ts'"));
  try {
    await import(/* @vite-ignore */ file.href);
    const lines = log.mock.calls.map(([line]) => String(line));
    expect(lines.length).toBe(21);
    expect(lines.at(-1)).toBe('1408 -> 704 multiply-accumulates');
  } finally {
    log.mockRestore();
    rmSync(file);
  }
});

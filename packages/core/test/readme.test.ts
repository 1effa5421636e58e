import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';

it("runs the README's examples, one after the other", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const code = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
  const file = new URL('./readme-example.generated.ts', import.meta.url);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  writeFileSync(file, code.replaceAll("'@secateur/core'", "'../src/index.ts'"));
  try {
    await import(/* @vite-ignore */ file.href);
    const lines = log.mock.calls.map(([line]) => String(line));
    expect(lines.length).toBe(22);
    expect(lines.slice(-2)).toEqual(['1408 -> 704 multiply-accumulates', 'accuracy 1']);
  } finally {
    log.mockRestore();
    rmSync(file);
  }
});

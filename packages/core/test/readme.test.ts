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
    // The unseeded weights of the example decide whether the loop has to go back.
    const lines = log.mock.calls.map(([line]) => String(line)).filter((line) => !/: back, then \d/.test(line));
    expect(lines.length).toBe(28);
    expect(lines.filter((line) => /^filter \d: \d\.\d\d, filter \d: \d\.\d\d$/.test(line)).length).toBe(2);
    expect(lines.filter((line) => /^[a-z ]+: \d+ parameters$/.test(line)).length).toBe(1);
    expect(lines).toEqual(
      expect.arrayContaining(['1408 -> 704 multiply-accumulates', 'the same weights: true', 'accuracy 1']),
    );
    expect(lines.at(-2)).toMatch(/^8 units in 1 group can be removed:\n {2}conv: 8 units\n {4}produces {2}conv\n/);
    // Six filters: 9 weights and a bias each, four numbers of batch norm, 16 positions for two logits with a bias.
    expect(lines.at(-1)).toBe(String(6 * 10 + 6 * 4 + 6 * 32 + 2));
  } finally {
    log.mockRestore();
    rmSync(file);
  }
});

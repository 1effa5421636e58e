import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kernelTable } from '../src/index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the kernel table is the registry', () => {
  const rows = Object.fromEntries(
    [...readme.matchAll(/^\| (native|fused|via cpu) +\| (.+) \|$/gm)].map(([, how, names]) => [
      how,
      [...names!.matchAll(/`([^`]+)`/g)].map((match) => match[1]),
    ]),
  );
  const { native, fused, viaCpu } = kernelTable();
  expect(rows).toEqual({ native, fused, 'via cpu': viaCpu });
});

it('the examples run, one after the other, and print what the text says', async () => {
  const code = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
  const file = new URL('./readme-example.generated.ts', import.meta.url);
  const printed: unknown[] = [];
  const original = console.log;
  console.log = (...values) => printed.push(...values);
  try {
    writeFileSync(file, `${code}\nexport {};\n`);
    await import(file.href);
  } finally {
    console.log = original;
    rmSync(file, { force: true });
  }
  expect(printed).toEqual(['torch', true, [4, 2]]);
});

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOnnxMetadata } from '@secateur/export';
import { expect, it } from 'vitest';
import { writeTinyCifar10 } from './tiny-cifar.ts';

it("the library example of the repository's README prunes and exports", async () => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const onnx = join(await mkdtemp(join(tmpdir(), 'secateur-root-readme-')), 'pruned.onnx');
  const file = new URL('./root-readme-example.generated.ts', import.meta.url);
  const example = code!
    .replace("'cifar-10-batches-bin'", JSON.stringify(await writeTinyCifar10()))
    .replace("'pruned.onnx'", JSON.stringify(onnx));
  expect(example).not.toBe(code);
  await writeFile(file, example);
  try {
    await import(/* @vite-ignore */ file.href);
  } finally {
    await rm(file);
  }
  expect(existsSync(onnx)).toBe(true);
  const { input, output } = readOnnxMetadata(await readFile(onnx));
  expect([input.dims, output.dims]).toEqual([
    ['batch', 3, 32, 32],
    ['batch', 10],
  ]);
});

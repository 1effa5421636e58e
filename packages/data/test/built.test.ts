import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBatchSource } from '@secateur/data';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateImages } from './generated.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const options = {
  batchSize: 4,
  shuffle: true,
  augment: { flip: true, cropPadding: 1 },
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
  seed: 3,
};

let dist: string;
beforeAll(async () => {
  // Inside the package, so that the build finds the dependencies as an installed one does.
  dist = await mkdtemp(join(root, 'node_modules', '.built-'));
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
  await run(process.execPath, [join(compiler, '../bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', dist], {
    cwd: root,
  });
  await writeFile(join(dist, 'package.json'), '{"type": "module"}');
});
afterAll(() => rm(dist, { recursive: true }));

test('the build gives the batches that the source gives, and an unclosed source keeps no process alive', async () => {
  const hash = createHash('sha256');
  const source = createBatchSource(generateImages({ count: 30 }), options);
  for await (const { images, labels } of source.batches(2)) hash.update(images).update(labels);
  await source.close();

  const { images, labels, shape, classNames } = generateImages({ count: 30 });
  const program = `
    import { createHash } from 'node:crypto';
    import { createBatchSource } from './index.js';
    const data = ${JSON.stringify({ labels: [...labels], shape, classNames })};
    const images = Uint8Array.from(${JSON.stringify([...images])});
    const source = createBatchSource({ ...data, images, labels: Int32Array.from(data.labels) }, ${JSON.stringify(options)});
    const hash = createHash('sha256');
    for await (const { images, labels } of source.batches(2)) hash.update(images).update(labels);
    for await (const batch of source.batches(3)) break;
    console.log(hash.digest('hex'));
  `;
  // The flag is one that a worker must not inherit.
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: dist,
    timeout: 300_000,
  });
  expect(stdout.trim()).toBe(hash.digest('hex'));
});

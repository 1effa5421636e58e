import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const inPackage = (...parts: string[]) => join(packageFolder, ...parts);
const run = promisify(execFile);

describe('the package, installed without the others of this repository', () => {
  let folder: string;
  const inFolder = (...parts: string[]) => join(folder, ...parts);
  const node = async (...args: string[]) =>
    (await run(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 })).stdout;
  const tsc = inPackage('node_modules', 'typescript', 'bin', 'tsc');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-alone-'));
    const installed = inFolder('node_modules', '@secateur', 'export');
    await mkdir(installed, { recursive: true });
    const manifest = JSON.parse(await readFile(inPackage('package.json'), 'utf8'));
    await cp(inPackage('package.json'), join(installed, 'package.json'));
    await run(process.execPath, [tsc, '-p', inPackage('tsconfig.build.json'), '--outDir', join(installed, 'dist')]);

    const needed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect(needed.filter((name) => name.startsWith('@secateur/'))).toEqual([]);
    for (const name of [...needed, '@tensorflow/tfjs-backend-cpu', '@types/node']) {
      await mkdir(dirname(inFolder('node_modules', name)), { recursive: true });
      await symlink(await realpath(inPackage('node_modules', name)), inFolder('node_modules', name));
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('runs the example of the README', async () => {
    await cp(inPackage('test', 'readme-example.ts'), inFolder('example.mjs'));
    const [names, verification, latency] = (await node('example.mjs')).trim().split('\n');
    expect([names, verification]).toEqual(["[ 'cat', 'dog' ]", 'true 10']);
    expect(latency).toMatch(/^\d+\.\d\d ms an image$/);
  });

  it('has types that ask for no other package', async () => {
    await cp(inPackage('test', 'readme-example.ts'), inFolder('example.mts'));
    const options = [
      '--strict',
      '--noEmit',
      '--skipLibCheck',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--types',
      'node',
    ];
    const trace = await node(tsc, ...options, '--traceResolution', 'example.mts');
    const asked = trace.matchAll(/Resolving module '(@secateur\/[^']*)'/g);
    expect(new Set([...asked].map(([, name]) => name))).toEqual(new Set(['@secateur/export']));
  });

  it('imports and exports, and says which nodes need the one layer class of another package', async () => {
    await writeFile(
      inFolder('import.mjs'),
      `import '@tensorflow/tfjs-backend-cpu';
import { exportOnnx, importOnnx, verify } from '@secateur/export';

const failure = (promise) => promise.then(() => 'no error', ({ code, message }) => code ?? message);
console.log(await failure(import('@secateur/core')));
const { model } = await importOnnx(process.argv[2]);
const [, ...size] = model.inputs[0].shape;
const images = Float32Array.from({ length: 2 * size.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
console.log((await verify(model, await exportOnnx(model), { images, shape: [2, ...size] })).passed);
console.log(await failure(importOnnx(process.argv[3])));
`,
    );
    const fixture = (name: string) => inPackage('test', 'fixtures', name);
    const output = await node('import.mjs', fixture('mobilenet-v2.onnx'), fixture('resnet20.onnx'));
    const [code, passed, ...message] = output.trim().split('\n');
    expect([code, passed]).toEqual(['ERR_MODULE_NOT_FOUND', 'true']);
    expect(message.join('\n')).toMatch(
      /resnet20\.onnx' cannot be imported: Expected the layer class 'ZeroPadShortcut', .*; '\/blocks\/blocks.3\/Add', '\/blocks\/blocks.6\/Add' cannot do without\. Install '@secateur\/core' and import it first; it registers the class\.$/,
    );
  });
});

it('takes nothing but types from the other packages', async () => {
  const files = await readdir(inPackage('src'), { recursive: true });
  const shipped = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  expect(shipped.length).toBeGreaterThan(80);
  const imports = await Promise.all(
    shipped.map(
      async (name) => (await readFile(inPackage('src', name), 'utf8')).match(/^.*['"]@secateur\/.*$/gm) ?? [],
    ),
  );
  const ofCode = imports.flat().filter((line) => line.includes('from') || line.trim().startsWith('import'));
  expect(ofCode.length).toBeGreaterThan(3);
  expect(ofCode.filter((line) => !/^import type \{[^}]*\} from '@secateur\/core';$/.test(line))).toEqual([]);
});

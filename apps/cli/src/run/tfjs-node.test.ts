import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startEngine } from './engine.ts';
import { installedTfjsNode, loadTfjsNode, restoreIsNullOrUndefined } from './tfjs-node.ts';

describe('util.isNullOrUndefined', () => {
  it('is added where Node has none', () => {
    const util: { isNullOrUndefined?: (value: unknown) => boolean } = {};
    restoreIsNullOrUndefined(util);
    expect([null, undefined, 0, '', false].map(util.isNullOrUndefined!)).toEqual([true, true, false, false, false]);
  });

  it('is left alone where Node has one', () => {
    const own = () => true;
    const util = { isNullOrUndefined: own };
    restoreIsNullOrUndefined(util);
    expect(util.isNullOrUndefined).toBe(own);
  });
});

describe('loading tfjs-node', () => {
  it('finds util.isNullOrUndefined there, as its code calls it, and the backend registered', async () => {
    const fake = async () => {
      const util = createRequire(import.meta.url)('util') as { isNullOrUndefined(value: unknown): boolean };
      expect(util.isNullOrUndefined(null)).toBe(true);
      tf.registerBackend('tensorflow', () => new MathBackendCPU());
      return { version: { 'tfjs-node': '4.22.0' } };
    };
    try {
      expect(await loadTfjsNode(fake)).toEqual({ version: { 'tfjs-node': '4.22.0' } });
    } finally {
      tf.removeBackend('tensorflow');
    }
  });

  it('tells when it registered with another copy of tfjs-core', async () => {
    await expect(loadTfjsNode(async () => ({ version: {} }))).rejects.toThrow('brings its own copy of tfjs-core');
  });
});

describe('whether tfjs-node is installed', () => {
  it('is told with its version, without loading it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tfjs-node-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const from = pathToFileURL(join(folder, 'program.js')).href;
    expect(installedTfjsNode(from)).toBe(undefined);
    const installation = join(folder, 'node_modules/@tensorflow/tfjs-node');
    await mkdir(installation, { recursive: true });
    await writeFile(join(installation, 'package.json'), JSON.stringify({ version: '4.22.0', main: 'missing.js' }));
    expect(installedTfjsNode(from)).toBe('4.22.0');
  });
});

const installed = installedTfjsNode() !== undefined;

describe.skipIf(installed)('without tfjs-node', () => {
  it('the engine tensorflow is an Error that says what to install', async () => {
    await expect(startEngine({ engine: 'tensorflow' })).rejects.toThrow(
      /The engine 'tensorflow' does not work here: .*@tensorflow\/tfjs-node.* Run: npm install @tensorflow\/tfjs-node/,
    );
  });
});

describe.skipIf(!installed)('the engine tensorflow (needs @tensorflow/tfjs-node)', () => {
  it('computes', async () => {
    const { engine } = await startEngine({ engine: 'tensorflow' });
    expect(engine).toMatchObject({ name: 'tensorflow', bfloat16: 'none', threads: null });
    expect([...tf.matMul([[1, 2]], [[3], [4]]).dataSync()]).toEqual([11]);
    await expect(startEngine({ engine: 'tensorflow', threads: 2 })).rejects.toThrow('--threads');
  });
});

import { createRequire } from 'node:module';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startEngine } from './engine.ts';
import { loadTfjsNode, restoreIsNullOrUndefined } from './tfjs-node.ts';

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

const installed = await loadTfjsNode().then(
  () => true,
  () => false,
);

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

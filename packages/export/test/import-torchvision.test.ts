import '@tensorflow/tfjs-backend-cpu';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countCost } from '@secateur/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx, importOnnx, verify } from '../src/index.ts';
import { randomImages } from './oracle.ts';
import { pruneByNorm } from './prune-by-norm.ts';

const python = '/usr/bin/python3';
const hasTorch = spawnSync(python, ['-c', 'import torch, torchvision, torch.onnx']).status === 0;
const without = hasTorch ? '' : ' (LEFT OUT: install python3-torch and python3-torchvision)';

describe.skipIf(!hasTorch)(`Networks of common widths, as PyTorch exports them now${without}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-'));
    const script = fileURLToPath(new URL('fixtures/make-fixtures.py', import.meta.url));
    const { status, stderr } = spawnSync(python, [script, folder, '--full'], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['vgg16_bn', 'resnet18', 'resnet20', 'resnet56', 'mobilenet_v2', 'squeezenet1_1'])(
    '%s gives what onnxruntime gives: imported, pruned and exported again',
    async (name) => {
      const path = join(folder, `${name}.onnx`);
      const { model } = await importOnnx(path);
      const { data: images, shape } = randomImages(model, 1);
      expect(await verify(model, path, { images, shape })).toMatchObject({ passed: true, tolerance: 1e-4 });

      const pruned = await pruneByNorm(model);
      expect(countCost(pruned).macs).toBeLessThan(0.8 * countCost(model).macs);
      expect(await verify(pruned, await exportOnnx(pruned), { images, shape })).toMatchObject({ passed: true });
      for (const each of [model, pruned]) each.dispose();
    },
  );
});

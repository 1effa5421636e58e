import '@tensorflow/tfjs-backend-cpu';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importOnnx, verify } from '../src/index.ts';
import { randomImages } from './oracle.ts';

const python = '/usr/bin/python3';
const hasTorch = spawnSync(python, ['-c', 'import torch, torchvision, torch.onnx']).status === 0;
const without = hasTorch ? '' : ' (LEFT OUT: install python3-torch and python3-torchvision)';

describe.skipIf(!hasTorch)(`torchvision's networks, as PyTorch exports them now${without}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-'));
    const script = fileURLToPath(new URL('fixtures/make-fixtures.py', import.meta.url));
    const { status, stderr } = spawnSync(python, [script, folder, '--full'], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['resnet18', 'mobilenet_v2', 'squeezenet1_1'])('%s', async (name) => {
    const path = join(folder, `${name}.onnx`);
    const { model } = await importOnnx(path);
    const images = randomImages(model, 1);
    const report = await verify(model, await readFile(path), { images: images.data, shape: images.shape });
    expect(report.maxAbsDifference).toBeLessThan(1e-4);
    model.dispose();
  });
});

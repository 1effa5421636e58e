import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { exportOnnx, measureLatency, readOnnxMetadata, toFloat16, verify, writeOnnx } from '../src/index.ts';
import { editModel } from './onnx-files.ts';
import { randomImages, randomise, runOnnx } from './oracle.ts';

let model: LayersModel;
let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secateur-external-'));
  path = join(directory, 'big.onnx');
  model = sequential({
    layers: [
      layers.conv2d({ name: 'conv', inputShape: [6, 6, 3], filters: 20, kernelSize: 3, activation: 'relu' }),
      layers.flatten({ name: 'flat' }),
      layers.dense({ name: 'fc', units: 5 }),
    ],
  });
  randomise(model, 1);
});
afterEach(async () => {
  model.dispose();
  await rm(directory, { recursive: true });
});

it('keeps the weights in the file up to the limit, and moves them beside it above', async () => {
  const weights = 4 * (20 * 3 * 9 + 20 + 5 * 320 + 5);
  await writeOnnx(model, path, { externalDataOver: weights });
  expect(await readdir(directory)).toEqual(['big.onnx']);
  const whole = await readFile(path);
  expect(new Uint8Array(whole)).toEqual(await exportOnnx(model));

  const bytes = await writeOnnx(model, path, { externalDataOver: weights - 1 });
  expect(await readdir(directory)).toEqual(['big.onnx', 'big.onnx.data']);
  expect(new Uint8Array(await readFile(path))).toEqual(bytes);
  const external = decodeModel(bytes).graph!.initializer!.flatMap(({ name, externalData }) =>
    externalData!.length ? [[name, ...externalData!.map(({ key, value }) => `${key} ${value}`)]] : [],
  );
  expect(external).toEqual([
    ['conv/kernel', 'location big.onnx.data', 'offset 0', 'length 2160'],
    ['fc/kernel', 'location big.onnx.data', 'offset 4096', 'length 6400'],
  ]);
  expect(readOnnxMetadata(bytes).externalFiles).toEqual(['big.onnx.data']);
  expect(readOnnxMetadata(whole).externalFiles).toEqual([]);
  const inBoth = (await readFile(path)).length + 2160 + 6400;
  expect((await measureLatency(path, { runs: 1 })).bytes).toBe(inBoth);
  const { data: images, shape } = randomImages(model, 3);
  expect((await verify(model, path, { images, shape })).maxAbsDifference).toBeLessThan(1e-4);
});

it('reads the weights back for other precisions', async () => {
  await writeOnnx(model, path, { externalDataOver: 0 });
  const images = randomImages(model, 2);
  const answers = await runOnnx(await toFloat16(path), images);
  expect(answers).toEqual(await runOnnx(await toFloat16(await exportOnnx(model)), images));
});

describe('weights are read from beside the model only', () => {
  const at = (location: string) => (bytes: Uint8Array) =>
    editModel(bytes, ({ initializer }) => {
      for (const { externalData } of initializer!) {
        for (const entry of externalData!) if (entry.key === 'location') entry.value = location;
      }
    });
  const open = async (bytes: Uint8Array) => {
    await writeFile(path, bytes);
    const { data: images, shape } = randomImages(model, 1);
    return verify(model, path, { images, shape });
  };

  it.each(['../secret', '/etc/hostname', 'a/../../secret', '..\\secret', ''])("not from '%s'", async (location) => {
    const bytes = await writeOnnx(model, path, { externalDataOver: 0 });
    await expect(open(at(location)(bytes))).rejects.toThrow(/Tensor 'conv\/kernel' (names|lies in) the external file/);
  });

  it('not through a link, nor where there is none', async () => {
    const bytes = await writeOnnx(model, path, { externalDataOver: 0 });
    const outside = await mkdtemp(join(tmpdir(), 'secateur-outside-'));
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(directory, 'link'));
    await expect(open(at('link/secret')(bytes))).rejects.toThrow(/expected one inside the model's folder/);
    await expect(open(at('absent')(bytes))).rejects.toThrow(/'absent', which is not there; put it beside the model/);
    await rm(outside, { recursive: true });
  });

  it('from a folder below', async () => {
    const bytes = await writeOnnx(model, path, { externalDataOver: 0 });
    await mkdir(join(directory, 'weights'));
    await writeFile(join(directory, 'weights', 'w'), await readFile(`${path}.data`));
    expect((await open(at('weights/w')(bytes))).passed).toBe(true);
  });

  it('whole or not at all', async () => {
    await writeOnnx(model, path, { externalDataOver: 0 });
    await truncate(`${path}.data`, 5000);
    await expect(toFloat16(path)).rejects.toThrow(
      /'fc\/kernel': its external data 'big.onnx.data' cannot be read: expected at least 10496 bytes, but it has 5000/,
    );
    const { data: images, shape } = randomImages(model, 1);
    await expect(verify(model, path, { images, shape })).rejects.toThrow(/expected at least 10496 bytes/);
  });

  it('not from a pipe, which would never end, nor a device', async () => {
    const bytes = await writeOnnx(model, path, { externalDataOver: 0 });
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    for (const read of [open, async (file: Uint8Array) => writeFile(path, file).then(() => toFloat16(path))]) {
      await expect(read(at('pipe')(bytes))).rejects.toThrow(/'pipe' cannot be read: it is not a regular file/);
    }
    await expect(toFloat16(join(directory, 'pipe'))).rejects.toThrow(/could not be read: it is not a regular file/);
    await expect(verify(model, '/dev/zero', { images: new Float32Array(108), shape: [1, 6, 6, 3] })).rejects.toThrow(
      /could not be read: it is not a regular file/,
    );
  });

  it('no more than the shape of a weight asks for, and none for a model that came as bytes', async () => {
    const bytes = await writeOnnx(model, path, { externalDataOver: 0 });
    const longer = editModel(bytes, ({ initializer }) => {
      for (const { externalData } of initializer!) {
        for (const entry of externalData!) if (entry.key === 'length') entry.value = '1e15';
      }
    });
    await expect(open(longer)).rejects.toThrow(
      /should be 2160 bytes of an external file, but the model says length '1e15'/,
    );
    const { data: images, shape } = randomImages(model, 1);
    await expect(verify(model, bytes, { images, shape })).rejects.toThrow(
      /give the model's path in place of its bytes/,
    );
  });

  it('whichever node names it', async () => {
    const bytes = await writeOnnx(model, path, { externalDataOver: 0 });
    const hidden = editModel(bytes, ({ node }) => {
      const t = { dims: [1], dataType: 1, dataLocation: 1, externalData: [{ key: 'location', value: '../secret' }] };
      node!.push({
        name: 'hidden',
        opType: 'Constant',
        output: ['hidden'],
        attribute: [{ name: 'value', type: 4, t }],
      });
    });
    await expect(open(hidden)).rejects.toThrow(/names the external file '..\/secret'/);
  });
});

it('leaves the former file when the new one cannot be written', async () => {
  await expect(writeOnnx(model, join(directory, 'no', 'such.onnx'))).rejects.toThrow(
    /such\.onnx' could not be written: there is no folder '.*no'\. Make it first\.$/,
  );
  await expect(writeOnnx(model, directory)).rejects.toThrow(/could not be written: it is a folder\. Name a file\.$/);
  expect(await readdir(directory)).toEqual([]);
});

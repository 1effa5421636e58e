import '@tensorflow/tfjs-backend-cpu';
import { readFile } from 'node:fs/promises';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { exportOnnx, openClassifier } from '../src/index.ts';
import { editModel } from './onnx-files.ts';
import { expectClose, randomImages, runModel } from './oracle.ts';

const network = (softmax: boolean) =>
  sequential({
    layers: [
      layers.conv2d({ inputShape: [6, 5, 3], filters: 4, kernelSize: 3, activation: 'relu' }),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 3, ...(softmax && { activation: 'softmax' }) }),
    ],
  });

const options = { imageShape: [6, 5, 3], classes: 3 } as const;

async function classify(onnx: Uint8Array, images: Float32Array) {
  const classifier = await openClassifier(onnx, options);
  try {
    return { ...classifier, logits: await classifier.classify(images) };
  } finally {
    await classifier.release();
  }
}

describe('openClassifier', () => {
  it.each(['NCHW', 'NHWC'] as const)('gives images to a file as it has them: %s', async (inputLayout) => {
    const model = network(false);
    const images = randomImages(model, 3);
    const { logits, layout, takes } = await classify(await exportOnnx(model, { inputLayout }), images.data);
    expect([layout, takes]).toEqual([inputLayout, 'standardised']);
    expectClose(logits, runModel(model, images));
    // What says nothing of its layout is told by its sizes.
    const silent = editModel(await exportOnnx(model, { inputLayout }), (_, file) => {
      file.metadataProps = [];
    });
    expectClose((await classify(silent, images.data)).logits, runModel(model, images));
  });

  it('gives whole pixels to a file that standardises them, and takes logarithms of probabilities', async () => {
    const [plain, model] = [network(false), network(true)];
    plain.setWeights(model.getWeights());
    const [mean, std] = [
      [0.5, 0.4, 0.3],
      [0.2, 0.25, 0.3],
    ] as const;
    const onnx = await exportOnnx(plain, { preprocessing: true, mean, std, inputScale: 1 / 255 });
    const pixels = randomImages(model, 4).data.map((value) => Math.round(127.5 * (value + 1)));
    const { logits, layout, takes } = await classify(onnx, pixels);
    expect([layout, takes]).toEqual(['NHWC', 'pixels']);
    const data = pixels.map((value, i) => (value / 255 - mean[i % 3]!) / std[i % 3]!);
    expectClose(logits, runModel(model, { data, shape: [4, 6, 5, 3] }).map(Math.log));
  });

  it('fills up the batches of a file that fixes their size', async () => {
    const model = network(false);
    const images = randomImages(model, 5);
    const fixed = editModel(await exportOnnx(model), (graph) => {
      for (const { type } of [...graph.input!, ...graph.output!]) type!.tensorType!.shape!.dim![0] = { dimValue: 2 };
    });
    expectClose((await classify(fixed, images.data)).logits, runModel(model, images));
  });

  it.each<[string, Partial<{ imageShape: readonly [number, number, number]; classes: number }>, string]>([
    [
      'other sizes',
      { imageShape: [5, 6, 3] },
      "images of 5 x 6 x 3, [batch, 3, 5, 6] or [batch, 5, 6, 3], but 'input' is [batch, 3, 6, 5]",
    ],
    [
      'other classes',
      { classes: 4 },
      "float32 [batch, 4], one number for each class, but 'logits' is float32 [batch, 3]",
    ],
  ])('refuses %s', async (_what, change, message) => {
    await expect(openClassifier(await exportOnnx(network(false)), { ...options, ...change })).rejects.toThrow(message);
  });

  it('refuses files that are no classifiers of images', async () => {
    const bytes = await exportOnnx(network(false));
    const half = editModel(bytes, (graph) => {
      const [conv] = graph.node!;
      graph.input![0]!.type!.tensorType!.elemType = 10;
      graph.node!.unshift({
        opType: 'Cast',
        name: 'wide',
        input: ['input'],
        output: ['wide'],
        attribute: [{ name: 'to', type: 2, i: 1 }],
      });
      conv!.input![0] = 'wide';
    });
    await expect(openClassifier(half, options)).rejects.toThrow("take float32 or uint8 images, but 'input' is float16");
    const two = editModel(bytes, (graph) => {
      graph.output!.push({ name: graph.node![0]!.output![0]! });
    });
    await expect(openClassifier(two, options)).rejects.toThrow(
      'Expected the ONNX model to have one output, but it has 2: ',
    );
    await expect(openClassifier(bytes.subarray(0, 100), options)).rejects.toThrow('expected an ONNX model');
    const classifier = await openClassifier(bytes, options);
    await expect(classifier.classify(new Float32Array(91))).rejects.toThrow('6 x 5 x 3 values each, but got 91 values');
    await classifier.release();
  });

  it('opens what PyTorch wrote for one image at a time', async () => {
    const onnx = await readFile(new URL('fixtures/resnet18.onnx', import.meta.url));
    const classifier = await openClassifier(onnx, { imageShape: [64, 64, 3], classes: 10 });
    const images = Float32Array.from({ length: 2 * 64 * 64 * 3 }, (_, i) => Math.sin(i));
    const both = await classifier.classify(images);
    const second = await classifier.classify(images.subarray(64 * 64 * 3));
    expect([...both.subarray(10)]).toEqual([...second]);
    await classifier.release();
  });
});

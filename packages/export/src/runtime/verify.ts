import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { inspectModel } from '../check/check-onnx.ts';
import { compareWithRuntime } from '../check/reported-outputs.ts';
import { keys, type OnnxMetadata } from '../metadata.ts';
import { type Agreement, argMax, compareLogits } from './agreement.ts';
import { type Feed, feed } from './feed.ts';
import type { OnnxSource } from './load-model.ts';
import { type LoadedModel, openModel } from './session.ts';

export interface VerifyOptions {
  /** Standardised images, channels last, as the model takes them. */
  readonly images: Float32Array;
  /** [count, height, width, channels], or [count, features] for a model of vectors. */
  readonly shape: readonly number[];
  /** Images at a time. Default 100. */
  readonly batchSize?: number;
  /** A logit x may differ by tolerance * (1 + |x|). Default 1e-4. */
  readonly tolerance?: number;
  /** The true class of each image; with them the report states both accuracies. */
  readonly labels?: ArrayLike<number> | undefined;
}

export interface Verification extends Agreement {
  readonly images: number;
  readonly tolerance: number;
  /** No logit differs by more than the tolerance allows, and no class differs except in ties. */
  readonly passed: boolean;
  /** Shares of images classified as labelled, in [0, 1]. */
  readonly accuracy?: { readonly model: number; readonly onnx: number };
}

/**
 * Runs a model on the active TensorFlow.js engine and its ONNX file in onnxruntime-node on the same images, and compares
 * the logits. The engine should compute in float32: with bfloat16 differences of 1e-2 and more are to be expected.
 * When the exporter appended a softmax, the model's logits go through one too. A file that takes whole pixels gets them, and the
 * model the same, standardised. The types and shapes that onnxruntime reports of inputs and outputs are compared with inferred ones.
 *
 * @throws Error when the images do not fit the model, the file is not ONNX, or it is not an export of such a model.
 */
export async function verify(
  model: LayersModel,
  onnx: OnnxSource,
  { images, shape, batchSize = 100, tolerance = 1e-4, labels }: VerifyOptions,
): Promise<Verification> {
  const [count, ...imageShape] = shape as [number, ...number[]];
  checkImages(model, { images, shape, batchSize, labels });
  const classes = model.outputs[0]!.shape.at(-1)!;
  const loaded = await openModel(onnx);
  try {
    checkPorts(loaded, imageShape, classes);
    const imageSize = images.length / count;
    const expected = new Float32Array(count * classes);
    const actual = new Float32Array(count * classes);
    for (let start = 0; start < count; start += batchSize) {
      const end = Math.min(start + batchSize, count);
      const batch = images.subarray(start * imageSize, end * imageSize);
      const batchShape = [end - start, ...imageShape];
      const { feeds, seen } = feed(loaded, batch, batchShape);
      expected.set(await runModel(model, seen, { shape: batchShape, metadata: loaded.metadata }), start * classes);
      actual.set(await runOnnx(loaded, feeds), start * classes);
    }
    const agreement = compareLogits(expected, actual, { classes, tolerance });
    const accuracyOf = (logits: Float32Array) => accuracy(logits, labels!, classes);
    return {
      images: count,
      tolerance,
      ...agreement,
      passed: agreement.maxScaledDifference <= tolerance && agreement.differentClass === 0,
      ...(labels && { accuracy: { model: accuracyOf(expected), onnx: accuracyOf(actual) } }),
    };
  } finally {
    await loaded.session.release();
  }
}

async function runModel(
  model: LayersModel,
  images: Float32Array,
  { shape, metadata }: { shape: number[]; metadata: OnnxMetadata },
): Promise<Float32Array> {
  const output = tf.tidy(() => {
    const logits = model.predictOnBatch(tf.tensor(images, shape)) as tf.Tensor;
    return metadata.properties[keys.appendedSoftmax] === 'true' ? tf.softmax(logits) : logits;
  });
  try {
    return (await output.data()) as Float32Array;
  } finally {
    output.dispose();
  }
}

async function runOnnx({ session }: LoadedModel, feeds: Feed['feeds']): Promise<Float32Array> {
  const outputs = await session.run(feeds);
  return outputs[session.outputNames[0]!]!.data as Float32Array;
}

function accuracy(logits: Float32Array, labels: ArrayLike<number>, classes: number): number {
  const correct = Array.from(labels).filter(
    (label, i) => argMax(logits.subarray(i * classes, (i + 1) * classes)) === label,
  );
  return correct.length / labels.length;
}

function checkImages(
  model: LayersModel,
  { images, shape, batchSize, labels }: Pick<VerifyOptions, 'images' | 'shape' | 'labels'> & { batchSize: number },
): void {
  const [count, ...imageShape] = shape;
  const expected = model.inputs[0]!.shape.slice(1);
  if (!count || String(imageShape) !== String(expected)) {
    throw new Error(`Expected images of shape [count, ${expected}] for model '${model.name}', but got [${shape}].`);
  }
  const values = shape.reduce((product, size) => product * size, 1);
  if (images.length !== values) {
    throw new Error(`Expected ${values} values for images of shape [${shape}], but got ${images.length}.`);
  }
  if (labels && labels.length !== count) {
    throw new Error(`Expected one label for each of the ${count} images, but got ${labels.length}.`);
  }
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`Expected batchSize to be a positive integer, but got ${batchSize}.`);
  }
}

function checkPorts({ metadata, session, model }: LoadedModel, imageShape: readonly number[], classes: number): void {
  const { input, output, properties } = metadata;
  const isChannelsFirst = imageShape.length === 3 && properties[keys.layout] !== 'NHWC';
  const wanted = isChannelsFirst ? [imageShape[2], imageShape[0], imageShape[1]] : imageShape;
  if (String(input.dims.slice(1)) !== String(wanted) || String(output.dims.slice(1)) !== String(classes)) {
    throw new Error(
      `Expected an ONNX file with input [batch, ${wanted}] and output [batch, ${classes}], as the model has, but it has [${input.dims}] and [${output.dims}]. Is it an export of another model?`,
    );
  }
  const differences = compareWithRuntime(inspectModel(model).values, session);
  if (differences.length > 0) throw new Error(`The ONNX file is not what it says: ${differences.join('; ')}.`);
}

import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Tensor } from 'onnxruntime-node';
import { inspectModel } from '../check/check-onnx.ts';
import { compareWithRuntime } from '../check/reported-outputs.ts';
import { arrange } from '../layers/layout.ts';
import { fixedBatch, type OnnxMetadata, softmaxOutputs } from '../metadata.ts';
import { type Agreement, countCorrect, LogitComparison } from './agreement.ts';
import { feed, takesChannelsLast } from './feed.ts';
import { nchwToNhwc } from './images.ts';
import type { OnnxSource } from './load-model.ts';
import { batchesOf, countOf, type ImageBatch, inSteps, type NetworkInputs } from './network-inputs.ts';
import { type LoadedModel, openModel } from './session.ts';

/** The images, standardised and channels last as the model takes them, and how they are compared. */
export type VerifyOptions = NetworkInputs & {
  /** Images at a time. Default 100; a file that fixes its batch gets as many. */
  readonly batchSize?: number;
  /** A logit x may differ by tolerance * (1 + |x|). Default 1e-4. */
  readonly tolerance?: number;
  /**
   * The true class of each prediction of the first output: one for each image, or for each of its positions, row by row, where the
   * network labels those. With them the report states both accuracies.
   */
  readonly labels?: ArrayLike<number> | undefined;
};

export interface Verification extends Agreement {
  readonly images: number;
  readonly tolerance: number;
  /** No logit differs by more than the tolerance allows, and no class differs except in ties. */
  readonly passed: boolean;
  /** Shares of predictions of the first output that are as labelled, in [0, 1]. */
  readonly accuracy?: { readonly model: number; readonly onnx: number };
}

/**
 * Runs a model on the active TensorFlow.js engine and its ONNX file in onnxruntime-node on the same images, and compares
 * the logits: of every output, [batch, classes], or [batch, height, width, classes] where the network labels positions. The engine
 * should compute in float32: with bfloat16 differences of 1e-2 and more are to be expected.
 * Where the exporter appended a softmax, the model's logits go through one too. A file that takes whole pixels gets them, and the
 * model the same, standardised. The types and shapes that onnxruntime reports of inputs and outputs are compared with inferred ones.
 *
 * @throws Error when the images do not fit the model, the file is not ONNX, or it is not an export of such a model.
 */
export async function verify(model: LayersModel, onnx: OnnxSource, options: VerifyOptions): Promise<Verification> {
  const { batchSize = 100, tolerance = 1e-4, labels } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`Expected batchSize to be a positive integer, but got ${batchSize}.`);
  }
  checkShapes(model, 'inputs' in options ? options.inputs : [options]);
  const batches = batchesOf(options);
  checkLabels(model, labels, countOf(batches));
  const loaded = await openModel(onnx);
  try {
    checkPorts(loaded, model);
    const comparison = new LogitComparison(tolerance);
    const correct = { model: 0, onnx: 0 };
    let labelled = 0;
    const fixed = fixedBatch(loaded.metadata);
    if (countOf(batches) % (fixed ?? 1) !== 0) {
      throw new Error(`Expected a multiple of ${fixed} images, the file's fixed batch, but got ${countOf(batches)}.`);
    }
    for (const batch of inSteps(batches, fixed ?? batchSize)) {
      const { feeds, seen } = feed(loaded, batch);
      const expected = await runModel(model, seen, loaded.metadata);
      const actual = await runOnnx(loaded, feeds);
      for (const [i, { shape }] of model.outputs.entries()) {
        comparison.add(expected[i]!, actual[i]!, shape.at(-1)!);
      }
      if (!labels) continue;
      const classes = model.outputs[0]!.shape.at(-1)!;
      const known = Array.from(labels).slice(labelled, labelled + expected[0]!.length / classes);
      labelled += known.length;
      correct.model += countCorrect(expected[0]!, known, classes);
      correct.onnx += countCorrect(actual[0]!, known, classes);
    }
    const { agreement } = comparison;
    return {
      images: countOf(batches),
      tolerance,
      ...agreement,
      passed: agreement.maxScaledDifference <= tolerance && agreement.differentClass === 0,
      ...(labels && { accuracy: { model: correct.model / labelled, onnx: correct.onnx / labelled } }),
    };
  } finally {
    await loaded.session.release();
  }
}

/** The numbers of each output, channels last. */
async function runModel(
  model: LayersModel,
  batches: readonly ImageBatch[],
  metadata: OnnxMetadata,
): Promise<Float32Array[]> {
  const withSoftmax = softmaxOutputs(metadata);
  const outputs = tf.tidy(() => {
    const tensors = batches.map(({ images, shape }) => tf.tensor(images, [...shape]));
    return [model.predictOnBatch(tensors)]
      .flat()
      .map((logits, i) => (withSoftmax.includes(metadata.outputs[i]!.name) ? tf.softmax(logits) : logits));
  });
  try {
    return (await Promise.all(outputs.map((output) => output.data()))) as Float32Array[];
  } finally {
    tf.dispose(outputs);
  }
}

/** The same of the file, whose outputs are channels first. */
async function runOnnx({ session }: LoadedModel, feeds: Record<string, Tensor>): Promise<Float32Array[]> {
  const outputs = await session.run(feeds);
  return session.outputNames.map((name) => {
    const { data, dims } = outputs[name]!;
    return dims.length > 2 ? nchwToNhwc(data as Float32Array, dims) : (data as Float32Array);
  });
}

function checkShapes({ name, inputs }: LayersModel, batches: readonly ImageBatch[]): void {
  if (batches.length !== inputs.length) {
    throw new Error(
      `Expected images for each of the ${inputs.length} inputs of model '${name}', but got some for ${batches.length}. Give them as 'inputs', a list of images and shape.`,
    );
  }
  for (const [i, { shape }] of batches.entries()) {
    const expected = inputs[i]!.shape.slice(1);
    if (!shape[0] || String(shape.slice(1)) !== String(expected)) {
      throw new Error(`Expected images of shape [count, ${expected}] for model '${name}', but got [${shape}].`);
    }
  }
}

function checkLabels({ outputs }: LayersModel, labels: ArrayLike<number> | undefined, count: number): void {
  const positions = outputs[0]!.shape.slice(1, -1).reduce<number>((product, size) => product * size!, 1);
  if (!labels || labels.length === count * positions) return;
  const what = positions === 1 ? `${count} images` : `${positions} positions of the ${count} images`;
  throw new Error(`Expected one label for each of the ${what}, but got ${labels.length}.`);
}

function checkPorts({ metadata, session, model }: LoadedModel, { inputs, outputs }: LayersModel): void {
  const sizes = ({ shape }: LayersModel['inputs'][number]) => shape.slice(1) as number[];
  const layoutOf = (i: number) => (takesChannelsLast(metadata, i) ? 'channelsLast' : 'channelsFirst');
  const wanted = {
    input: inputs.map((input, i) => arrange(sizes(input), layoutOf(i))),
    output: outputs.map((output) => arrange(sizes(output), 'channelsFirst')),
  };
  const list = (ports: readonly (readonly unknown[])[]) => ports.map((dims) => `[${dims}]`).join(', ');
  const found = { input: metadata.inputs, output: metadata.outputs };
  const isOther = (['input', 'output'] as const).some(
    (role) => list(wanted[role]) !== list(found[role].map(({ dims }) => dims.slice(1))),
  );
  if (isOther) {
    const [input, output] = [wanted.input, wanted.output].map((ports) => list(ports.map((dims) => ['batch', dims])));
    throw new Error(
      `Expected an ONNX file with input ${input} and output ${output}, as the model has, but it has ${list(found.input.map(({ dims }) => dims))} and ${list(found.output.map(({ dims }) => dims))}. Is it an export of another model?`,
    );
  }
  const differences = compareWithRuntime(inspectModel(model).values, session);
  if (differences.length > 0) throw new Error(`The ONNX file is not what it says: ${differences.join('; ')}.`);
}
